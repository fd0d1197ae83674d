namespace Federated.Privacy.Randomness;

/// <summary>Uniform draws without bias, and exact Bernoulli draws of rational probability.</summary>
public static class UniformDraws
{
    /// <summary>Uniform on {0, …, exclusiveMax − 1}: multiply-high with rejection, no modulo bias.</summary>
    /// <remarks>Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 2019, https://arxiv.org/abs/1805.10941.</remarks>
    public static ulong NextBelow(this IRandomSource random, ulong exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfZero(exclusiveMax);
        var high = Math.BigMul(random.NextUInt64(), exclusiveMax, out ulong low);
        if (low < exclusiveMax)
        {
            var threshold = (0UL - exclusiveMax) % exclusiveMax;
            while (low < threshold)
            {
                high = Math.BigMul(random.NextUInt64(), exclusiveMax, out low);
            }
        }

        return high;
    }

    /// <inheritdoc cref="NextBelow(IRandomSource, ulong)"/>
    public static int NextBelow(this IRandomSource random, int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        return (int)random.NextBelow((ulong)exclusiveMax);
    }

    /// <summary>Uniform on [0, 1) in steps of 2⁻⁵³. For choices that privacy does not rest on: those are made on integers.</summary>
    public static double NextDouble(this IRandomSource random) => (random.NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with probability 1/2.</summary>
    public static bool NextBit(this IRandomSource random) => (random.NextUInt64() >> 63) != 0;

    /// <summary>Uniform permutation in place (Fisher–Yates).</summary>
    public static void Shuffle<TItem>(this IRandomSource random, Span<TItem> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = random.NextBelow(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>A uniform subset of {0, …, population − 1}, in ascending order (Floyd's algorithm).</summary>
    public static int[] NextSubset(this IRandomSource random, int population, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, population);
        var result = new int[size];
        var chosen = new HashSet<int>(size);
        for (var j = population - size; j < population; j++)
        {
            var t = random.NextBelow(j + 1);
            var taken = chosen.Add(t) ? t : j;
            chosen.Add(taken);
            result[j - population + size] = taken;
        }

        Array.Sort(result);
        return result;
    }

    /// <summary>
    /// An integer whose mean is exactly <paramref name="value"/>: its floor, or one more with the probability of its fraction. The rounding
    /// happens before noise, so that its 53-bit coin has no part in any guarantee.
    /// </summary>
    public static long NextRounded(this IRandomSource random, double value)
    {
        var floor = Math.Floor(value);
        return checked((long)floor + (random.NextDouble() < value - floor ? 1 : 0));
    }

    /// <summary>Standard normals and gammas for shapes that privacy does not rest on (see <see cref="GaussianSampler"/>).</summary>
    internal static double NextNormal(this IRandomSource random)
    {
        Span<double> one = stackalloc double[1];
        GaussianSampler.Fill(one, 1.0, random);
        return one[0];
    }
}
