namespace Federated.Privacy.Randomness;

/// <summary>
/// The discrete Laplace law on the integers, Pr[x] ∝ exp(−|x|·a/b), drawn exactly: adding it to an integer statistic of L1 sensitivity Δ
/// is (Δ·a/b)-differentially private with no floating-point caveat.
/// </summary>
/// <remarks>
/// Canonne, Kamath, Steinke, NeurIPS 2020, Algorithm 2, https://arxiv.org/abs/2004.00010. Deviation: none in law (see
/// <see cref="ExactBernoulli"/>). Cost: about 50 ns a draw. The rejection is unbounded, as it must be.
/// </remarks>
public sealed class DiscreteLaplace
{
    private const ulong InverseE = 6786177901268885274; // ⌊2⁶⁴/e⌋
    private readonly ulong a;
    private readonly ulong b;

    /// <param name="numerator">a, of the decay a/b per unit; at least 1.</param>
    /// <param name="denominator">b; at least 1 and at most 2⁶⁰.</param>
    public DiscreteLaplace(ulong numerator, ulong denominator)
    {
        ArgumentOutOfRangeException.ThrowIfZero(numerator);
        ArgumentOutOfRangeException.ThrowIfZero(denominator);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(denominator, 1UL << 60);
        (a, b) = (numerator, denominator);
        Decay = (double)numerator / denominator;
    }

    /// <summary>a/b: the ε that a change of one unit costs.</summary>
    public double Decay { get; }

    /// <summary>Exact variance, 2e^(−s)/(1 − e^(−s))² at s = a/b.</summary>
    public double Variance => 0.5 / Math.Pow(Math.Sinh(Decay / 2), 2);

    /// <summary>
    /// The law for a statistic of integer sensitivity <paramref name="sensitivity"/> at <paramref name="epsilon"/>, the decay rounded down
    /// to a rational, so that the true parameter never exceeds the one asked for.
    /// </summary>
    public static DiscreteLaplace ForEpsilon(double epsilon, ulong sensitivity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        ArgumentOutOfRangeException.ThrowIfZero(sensitivity);
        var bits = Math.Min(58 - (int)Math.Ceiling(Math.Log2(sensitivity)), 52 - (int)Math.Ceiling(Math.Log2(epsilon)));
        if (bits < 0 || Math.ScaleB(epsilon, bits) < 256)
        {
            throw new PrivacyException(
                $"Discrete Laplace noise needs epsilon/sensitivity of 2^-50 or more, and neither above 2^52; epsilon is {epsilon}, sensitivity {sensitivity}. Use a coarser grid.");
        }

        return new DiscreteLaplace((ulong)Math.Floor(Math.ScaleB(epsilon, bits)), sensitivity << bits);
    }

    /// <summary>Pr[x].</summary>
    public double Probability(long x) => Math.Tanh(Decay / 2) * Math.Exp(-Math.Abs((double)x) * Decay);

    public long Next(IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        while (true)
        {
            var negative = random.NextBit();
            var magnitude = NextGeometric(random, a, b);
            if (!negative || magnitude != 0)
            {
                return negative ? -magnitude : magnitude;
            }
        }
    }

    /// <summary>⌊G/a⌋ where Pr[G = g] ∝ exp(−g/b): geometric with decay a/b per unit.</summary>
    internal static long NextGeometric(IRandomSource random, ulong a, ulong b)
    {
        ulong remainder;
        do
        {
            remainder = random.NextBelow(b);
        }
        while (remainder != 0 && !ExactBernoulli.ExpNegative(random, remainder, b, (double)remainder / b));

        ulong quotient = 0;
        while (NextInverseE(random))
        {
            quotient++;
        }

        return checked((long)((UInt128)(remainder + (UInt128)b * quotient) / a));
    }

    private static bool NextInverseE(IRandomSource random)
    {
        var bits = random.NextUInt64();
        return bits < InverseE || (bits == InverseE && ExactBernoulli.Refine(random, bits, 1, 1));
    }
}
