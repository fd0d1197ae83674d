using System.Numerics;

namespace Federated.Privacy.Randomness;

/// <summary>Coins whose probability is exact: a rational, or exp(−a/b) of a rational. No rounding error enters the law.</summary>
/// <remarks>
/// Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020, §5.1, https://arxiv.org/abs/2004.00010.
/// Deviation: where the paper flips a chain of rational coins, a lazily revealed uniform real U is compared with the probability: its first
/// 64 bits against a double whose error is bounded (2⁻³⁶ relative, a thousandfold what a faithful <see cref="Math.Exp"/> needs), and only
/// inside that band with ever more bits of both. The law is the same and the cost one draw in place of about three.
/// Cost: about 10 ns; time depends on the noise, never on the protected value.
/// </remarks>
public static class ExactBernoulli
{
    private const double TwoTo64 = 18446744073709551616.0;

    /// <summary>Half-width of the band within which the double approximation is not trusted.</summary>
    private const double Band = 1.0 / (1L << 36);

    /// <summary>Above this exponent the coin is split into factors exp(−16), so that doubles neither underflow nor lose bits.</summary>
    private const int Split = 16;

    /// <summary>True with probability <paramref name="numerator"/>/<paramref name="denominator"/>, at most 1.</summary>
    public static bool Rational(IRandomSource random, ulong numerator, ulong denominator)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfZero(denominator);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(numerator, denominator);
        return random.NextBelow(denominator) < numerator;
    }

    /// <summary>True with probability <paramref name="threshold"/>/2⁶⁴: the form of every randomised response here.</summary>
    public static bool Threshold(IRandomSource random, ulong threshold)
    {
        ArgumentNullException.ThrowIfNull(random);
        return random.NextUInt64() < threshold;
    }

    /// <summary>True with probability exp(−numerator/denominator).</summary>
    public static bool ExpNegative(IRandomSource random, UInt128 numerator, UInt128 denominator)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfZero(denominator);
        while (numerator / denominator > Split)
        {
            if (!ExpNegative(random, Split, 1, Split))
            {
                return false;
            }

            numerator -= Split * denominator;
        }

        return ExpNegative(random, numerator, denominator, (double)numerator / (double)denominator);
    }

    /// <summary>As above, for a caller that already has the exponent as a double, right to 2⁻³⁸ absolutely and below 17.</summary>
    internal static bool ExpNegative(IRandomSource random, UInt128 numerator, UInt128 denominator, double exponent)
    {
        var scaled = Math.Exp(-exponent) * TwoTo64;
        var bits = random.NextUInt64();
        if (bits < scaled * (1 - Band) - 2048)
        {
            return true;
        }

        return !(bits > scaled * (1 + Band) + 2048) && Refine(random, bits, numerator, denominator);
    }

    /// <summary>Continues the comparison U &lt; exp(−a/b), the first 64 bits of U being given, until it is decided.</summary>
    internal static bool Refine(IRandomSource random, ulong firstBits, UInt128 numerator, UInt128 denominator)
    {
        BigInteger uniform = firstBits;
        for (var words = 1; ; words++)
        {
            var (low, high) = ExpBounds(numerator, denominator, 64 * words);
            if (uniform + 1 <= low)
            {
                return true;
            }

            if (uniform >= high)
            {
                return false;
            }

            uniform = (uniform << 64) + random.NextUInt64();
        }
    }

    /// <summary>Integers that enclose exp(−a/b)·2^bits and are 3 apart: Taylor on a/(2^s·b) ≤ 1/2, squared s times, outward rounding.</summary>
    internal static (BigInteger Low, BigInteger High) ExpBounds(UInt128 numerator, UInt128 denominator, int bits)
    {
        var halvings = 1;
        while (numerator >> Math.Min(halvings, 127) > denominator >> 1)
        {
            halvings++;
        }

        const int guard = 64;
        var precision = bits + guard + halvings;
        var one = BigInteger.One << precision;

        // y = a / (2^s b), rounded down; the error of one unit is carried in the final widening.
        var y = ((BigInteger)numerator << precision) / ((BigInteger)denominator << halvings);
        var sum = one;
        var term = one;
        for (var k = 1; !term.IsZero; k++)
        {
            term = (term * y >> precision) / k;
            sum += k % 2 == 0 ? term : -term;
        }

        for (var i = 0; i < halvings; i++)
        {
            sum = sum * sum >> precision;
        }

        // Each of at most `precision` terms errs by < 2 units, each squaring doubles the error and adds one: below 2^(guard+halvings−1).
        var centre = sum >> (guard + halvings);
        return (BigInteger.Max(centre - 1, BigInteger.Zero), centre + 2);
    }
}
