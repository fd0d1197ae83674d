using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// Estimates how often each of k items occurs from one locally private report a client: whatever two items a client may hold, no report is
/// e^ε times likelier under one than under the other. Estimates are unbiased and may be negative.
/// </summary>
/// <remarks>
/// All oracles share one estimator: f̂_v = (C_v/n − q)/(p − q), C_v the reports that support v, with exact variance
/// [f·p(1−p) + (1−f)·q(1−q)]/(n(p−q)²). Reports are messages of one fixed size. Asking a client twice costs ε twice.
/// </remarks>
public interface IFrequencyOracle
{
    string Name { get; }

    /// <summary>k.</summary>
    int Items { get; }

    /// <summary>The exact parameter that the integers of the implementation give, at most the one asked for.</summary>
    double Epsilon { get; }

    /// <summary>p: probability that a report supports the client's own item.</summary>
    double TrueSupport { get; }

    /// <summary>q: probability that a report supports any other given item.</summary>
    double FalseSupport { get; }

    /// <summary>Size of every report.</summary>
    int ReportBytes { get; }

    /// <summary>Information in a report, in bits, as the literature counts it.</summary>
    int ReportBits { get; }

    /// <summary>Counters that the server keeps.</summary>
    int StateLength { get; }

    /// <summary>The client's side.</summary>
    /// <param name="item">In {0, …, k − 1}.</param>
    /// <param name="report"><see cref="ReportBytes"/> bytes; overwritten.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    void Randomize(int item, Span<byte> report, IRandomSource random);

    /// <summary>The server's side: counts one report.</summary>
    /// <exception cref="PrivacyException">The bytes are no report of this oracle.</exception>
    void Accumulate(ReadOnlySpan<byte> report, Span<long> state);

    /// <summary>Unbiased frequencies (summing to about 1) of all k items from the state of n reports.</summary>
    void Estimate(ReadOnlySpan<long> state, long reports, Span<double> frequencies);

    /// <summary>Pr[report | item]; for oracles with a public seed, given the seed. For audits: the reports are finitely many.</summary>
    double Probability(int item, ReadOnlySpan<byte> report);
}
