namespace Federated.Privacy.Accounting;

/// <summary>The accountants by name, with one line each on when to choose it.</summary>
public static class Accountants
{
    /// <summary>Privacy loss distributions: tight, for every mechanism here but vector-valued Skellam and distributed discrete Gaussian noise. The default.</summary>
    public const string Pld = "pld";

    /// <summary>Rényi divergences: some per cent looser (several times at few steps), but additive and cheap, for every mechanism, and for ledgers.</summary>
    public const string Rdp = "rdp";

    /// <summary>Exact, for Gaussian releases without sampling: tree aggregation, matrix factorisation, asynchronous central noise.</summary>
    public const string AnalyticGaussian = "analytic-gaussian";

    /// <value>All names.</value>
    public static IReadOnlyList<string> Names { get; } = [Pld, Rdp, AnalyticGaussian];

    /// <summary>The accountant of a name, with its default options.</summary>
    /// <exception cref="PrivacyException">No accountant has that name.</exception>
    public static IPrivacyAccountant ByName(string name) => name switch
    {
        Pld => new PldAccountant(),
        Rdp => new RdpAccountant(),
        AnalyticGaussian => new AnalyticGaussianAccountant(),
        _ => throw new PrivacyException($"There is no accountant '{name}': choose one of {string.Join(", ", Names)}."),
    };
}
