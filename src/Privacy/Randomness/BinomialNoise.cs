using System.Numerics;

namespace Federated.Privacy.Randomness;

/// <summary>Binomial(n, p) for p = 1/2 or 1/4, drawn exactly by counting random bits; the noise of the shuffled sums.</summary>
/// <remarks>Cost: n/64 words of randomness at p = 1/2, twice that at p = 1/4.</remarks>
public static class BinomialNoise
{
    /// <summary>The number of ones among <paramref name="trials"/> fair bits.</summary>
    public static long NextFair(IRandomSource random, long trials)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfNegative(trials);
        long ones = 0;
        for (; trials >= 64; trials -= 64)
        {
            ones += BitOperations.PopCount(random.NextUInt64());
        }

        return trials == 0 ? ones : ones + BitOperations.PopCount(random.NextUInt64() >> (int)(64 - trials));
    }

    /// <summary>The number of ones among <paramref name="trials"/> bits of probability 1/4.</summary>
    public static long NextQuarter(IRandomSource random, long trials)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfNegative(trials);
        long ones = 0;
        for (; trials >= 64; trials -= 64)
        {
            ones += BitOperations.PopCount(random.NextUInt64() & random.NextUInt64());
        }

        return trials == 0 ? ones : ones + BitOperations.PopCount((random.NextUInt64() & random.NextUInt64()) >> (int)(64 - trials));
    }
}
