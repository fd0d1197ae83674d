namespace Federated.Privacy.Local.Frequencies;

/// <summary>Names of the frequency oracles, as they stand in a configuration.</summary>
public static class FrequencyOracles
{
    /// <summary>Generalised randomised response: report an item. Choose it for few items, k &lt; 3e^ε + 2.</summary>
    public const string RandomizedResponse = "grr";

    /// <summary>Optimised unary encoding: a bit an item. Choose it for many items when upload is cheap.</summary>
    public const string OptimizedUnary = "oue";

    /// <summary>Symmetric unary encoding (one-time RAPPOR): for compatibility; OUE has less error.</summary>
    public const string SymmetricUnary = "sue";

    /// <summary>Optimised local hashing: OUE's error in a few bytes; the server pays n·k hashes.</summary>
    public const string LocalHashing = "olh";

    /// <summary>Hadamard response: log k bits and a fast server. Choose it for ε below 1.</summary>
    public const string Hadamard = "hadamard";

    /// <summary>Subset selection: least error of all, k·log k bits in between.</summary>
    public const string Subset = "subset";

    public static IReadOnlyList<string> All { get; } =
        [RandomizedResponse, OptimizedUnary, SymmetricUnary, LocalHashing, Hadamard, Subset];

    public static FrequencyOracle Create(string name, double epsilon, int items) => name switch
    {
        RandomizedResponse => new GeneralizedRandomizedResponse(epsilon, items),
        OptimizedUnary => new UnaryEncoding(epsilon, items),
        SymmetricUnary => new UnaryEncoding(epsilon, items, symmetric: true),
        LocalHashing => new LocalHashing(epsilon, items),
        Hadamard => new HadamardResponse(epsilon, items),
        Subset => new SubsetSelection(epsilon, items),
        _ => throw new PrivacyException($"No frequency oracle '{name}'; there are {string.Join(", ", All)}."),
    };
}
