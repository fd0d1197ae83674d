namespace Federated.Aggregation.Averaging;

/// <summary>
/// The lattice of bins on which <see cref="ReproducibleSum{T}"/> sums. Bin b holds integer multiples of its grid 2^(44·b); a term is
/// cut into its multiple of one grid and, of what is left, its multiple of the next finer grid. Where the cuts fall depends on the term
/// alone, and integers add in any order: that is the whole reason why the total does not depend on order.
/// </summary>
internal static class Bins
{
    /// <summary>Bits from one grid to the next. 63 − 43 leaves headroom for 2²⁰ terms; more headroom would cost accuracy.</summary>
    public const int Width = 44;

    /// <summary>A bin takes terms below 2^43 of its grid units; adding 1.5·2^52 units to such a number rounds it to the grid, exactly.</summary>
    public const int TermBits = Width - 1;

    /// <summary>Terms of full size that a bin holds before its 64-bit sum could wrap.</summary>
    public const int MaxTerms = 1 << (63 - TermBits);

    /// <summary>Grid 2^968: terms up to 2^1011.</summary>
    public const int Highest = 22;

    /// <summary>Grid 2^−1012, so that the next finer grid, 2^−1056, is still a double.</summary>
    public const int Lowest = -23;

    /// <summary>Marks a block to which nothing but zeros was added.</summary>
    public const int Empty = int.MinValue;

    private static readonly double[] Magics = [.. Enumerable.Range(Lowest - 1, Highest - Lowest + 2).Select(bin => Math.ScaleB(1.5, 52 + (Width * bin)))];

    /// <summary>Unit of bin <paramref name="bin"/>.</summary>
    public static double Grid(int bin) => Math.ScaleB(1.0, Width * bin);

    /// <summary>x + Magic(b) is x rounded to the grid (to nearest, ties to even), with the multiple in the last bits of the sum.</summary>
    public static double Magic(int bin) => Magics[bin - Lowest + 1];

    /// <summary>First magnitude that bin <paramref name="bin"/> does not take.</summary>
    public static double Limit(int bin) => Math.ScaleB(1.0, TermBits + (Width * bin));

    /// <summary>The finest bin that takes terms of this magnitude; beyond <see cref="Highest"/> when none does.</summary>
    /// <param name="magnitude">Positive and finite.</param>
    public static int Of(double magnitude)
    {
        // magnitude < 2^(e+1) ≤ 2^(43 + 44 b)  ⇔  b ≥ (e − 42) / 44.
        var excess = Math.ILogB(magnitude) + 1 - TermBits;
        var bin = excess >= 0 ? (excess + Width - 1) / Width : -(-excess / Width);
        return Math.Max(bin, Lowest);
    }
}
