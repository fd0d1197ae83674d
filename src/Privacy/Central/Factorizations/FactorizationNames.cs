namespace Federated.Privacy.Central.Factorizations;

/// <summary>Names of the factorisations, as they stand in a configuration.</summary>
public static class FactorizationNames
{
    /// <summary>Independent noise: DP-FedAvg's. Choose it with Poisson sampling, which pays for its larger error.</summary>
    public const string Identity = "identity";

    /// <summary>Binary tree, each prefix from its dyadic nodes. Choose it only to compare with the literature.</summary>
    public const string Tree = "tree";

    /// <summary>Binary tree with Honaker's estimates: log n vectors of memory, no parameters.</summary>
    public const string TreeHonaker = "tree-honaker";

    /// <summary>Square root of the prefix-sum matrix: least error for single participation, n vectors of memory.</summary>
    public const string SquareRoot = "sqrt-toeplitz";

    /// <summary>The square root cut to b bands: for clients that return after b steps or more.</summary>
    public const string BandedSquareRoot = "banded-sqrt";

    /// <summary>Banded Toeplitz optimised for n and b: least error for clients that return after b steps or more.</summary>
    public const string OptimizedBanded = "banded";

    /// <summary>A few exponentials in place of the square root: the choice for models that do not fit b copies of noise.</summary>
    public const string BufferedLinear = "blt";

    public static IReadOnlyList<string> All { get; } =
        [Identity, Tree, TreeHonaker, SquareRoot, BandedSquareRoot, OptimizedBanded, BufferedLinear];

    /// <summary>Builds a factorisation by name.</summary>
    /// <param name="name">One of <see cref="All"/>.</param>
    /// <param name="steps">n.</param>
    /// <param name="bands">b, for the banded ones: the separation at which clients return.</param>
    /// <param name="buffers">For <see cref="BufferedLinear"/>.</param>
    public static IFactorization Create(string name, int steps, int bands = 1, int buffers = 4) => name switch
    {
        Identity => ToeplitzFactorization.Identity(steps),
        Tree => new TreeFactorization(steps, honaker: false),
        TreeHonaker => new TreeFactorization(steps),
        SquareRoot => ToeplitzFactorization.SquareRoot(steps),
        BandedSquareRoot => ToeplitzFactorization.BandedSquareRoot(steps, Math.Min(bands, steps)),
        OptimizedBanded => ToeplitzFactorization.OptimizedBanded(steps, Math.Min(bands, steps)),
        BufferedLinear => BufferedLinearToeplitz.RationalApproximation(steps, buffers),
        _ => throw new PrivacyException($"No factorisation '{name}'; there are {string.Join(", ", All)}."),
    };
}
