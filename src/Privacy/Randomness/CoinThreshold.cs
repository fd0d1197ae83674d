using Federated.Privacy.Numerics;

namespace Federated.Privacy.Randomness;

/// <summary>Probabilities as integer multiples of 2⁻⁶⁴, so that a coin's law, and what it costs, are known exactly.</summary>
public static class CoinThreshold
{
    private const double TwoTo64 = 18446744073709551616.0;

    /// <summary>More than the rounding of the expressions that thresholds are computed from.</summary>
    private const double Outward = 1 + (1.0 / (1L << 46));

    /// <summary>The smallest threshold that is certainly at least <paramref name="probability"/> (in (0, 1)): for the lies of a response.</summary>
    public static ulong AtLeast(double probability)
    {
        if (!(probability > 0 && probability < 1))
        {
            throw new PrivacyException($"A coin's probability must be between 0 and 1; it is {probability}.");
        }

        var scaled = Math.Ceiling(probability * TwoTo64 * Outward);
        return scaled >= TwoTo64 ? ulong.MaxValue : Math.Max(1, (ulong)scaled);
    }

    /// <summary>threshold/2⁶⁴.</summary>
    public static double Probability(ulong threshold) => threshold * (1 / TwoTo64);

    /// <summary>1 − threshold/2⁶⁴, without cancellation.</summary>
    public static double Complement(ulong threshold) => (double)(BigTwoTo64 - threshold) * (1 / TwoTo64);

    /// <summary>ln((2⁶⁴ − threshold)/threshold), the log-odds against, without cancellation.</summary>
    public static double LogOddsAgainst(ulong threshold)
    {
        var difference = (double)((Int128)BigTwoTo64 - (2 * (Int128)threshold));
        var ratio = difference / threshold;
        return Math.Abs(ratio) < 0.5 ? LogSpace.Log1P(ratio) : Math.Log((double)(BigTwoTo64 - threshold) / threshold);
    }

    private static UInt128 BigTwoTo64 => UInt128.One << 64;
}
