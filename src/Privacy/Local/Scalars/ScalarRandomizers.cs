namespace Federated.Privacy.Local.Scalars;

/// <summary>Names of the scalar randomisers, as they stand in a configuration.</summary>
public static class ScalarRandomizers
{
    /// <summary>Additive noise: simple, and dominated by the others. Choose it for comparisons.</summary>
    public const string Laplace = "laplace";

    /// <summary>One bit. Choose it for ε below 1.</summary>
    public const string Duchi = "duchi";

    /// <summary>A number near the value, most of the time. Choose it for ε above 1.3 when the worst case is what counts.</summary>
    public const string Piecewise = "piecewise";

    /// <summary>A mixture of the two whose variance is the same for every value: the default.</summary>
    public const string Hybrid = "hybrid";

    public static IReadOnlyList<string> All { get; } = [Laplace, Duchi, Piecewise, Hybrid];

    public static IScalarRandomizer Create(string name, double epsilon) => name switch
    {
        Laplace => new LaplaceRandomizer(epsilon),
        Duchi => new DuchiRandomizer(epsilon),
        Piecewise => new PiecewiseRandomizer(epsilon),
        Hybrid => new HybridRandomizer(epsilon),
        _ => throw new PrivacyException($"No scalar randomiser '{name}'; there are {string.Join(", ", All)}."),
    };

    internal static void CheckValue(double value)
    {
        if (!(Math.Abs(value) <= 1))
        {
            throw new PrivacyException($"The value must be in [-1, 1]; it is {value}. Scale and clamp it on the client.");
        }
    }
}
