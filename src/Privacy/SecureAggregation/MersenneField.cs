namespace Federated.Privacy.SecureAggregation;

/// <summary>Arithmetic modulo the Mersenne prime 2^b − 1, for b = 31 or 61: products fit 128 bits and reduce by shifts.</summary>
/// <remarks>Elements are kept in [0, p).</remarks>
internal sealed class MersenneField(int bits)
{
    /// <summary>2⁶¹ − 1: seven bytes of a secret fit into an element.</summary>
    public static MersenneField Large { get; } = new(61);

    /// <summary>2³¹ − 1: an element fits a 32-bit word.</summary>
    public static MersenneField Small { get; } = new(31);

    /// <value>p.</value>
    public ulong Prime { get; } = (1UL << bits) - 1;

    private int Bits { get; } = bits;

    public ulong Add(ulong a, ulong b)
    {
        var sum = a + b;
        return sum >= Prime ? sum - Prime : sum;
    }

    public ulong Subtract(ulong a, ulong b) => a >= b ? a - b : a + Prime - b;

    public ulong Multiply(ulong a, ulong b)
    {
        var product = Math.BigMul(a, b);
        var sum = ((ulong)product & Prime) + (ulong)(product >> Bits);
        return sum >= Prime ? sum - Prime : sum;
    }

    /// <summary>a⁻¹ = a^(p − 2).</summary>
    public ulong Invert(ulong a)
    {
        if (a == 0)
        {
            throw new PrivacyException("Zero has no inverse: two points of an interpolation are the same.");
        }

        var (result, power) = (1UL, a);
        for (var exponent = Prime - 2; exponent != 0; exponent >>= 1)
        {
            result = (exponent & 1) != 0 ? Multiply(result, power) : result;
            power = Multiply(power, power);
        }

        return result;
    }

    /// <summary>Lagrange's coefficients: f(at) = Σ cᵢ·f(pointᵢ) for every polynomial of degree below the number of points.</summary>
    public ulong[] Lagrange(ReadOnlySpan<ulong> points, ulong at)
    {
        var coefficients = new ulong[points.Length];
        for (var i = 0; i < points.Length; i++)
        {
            var (numerator, denominator) = (1UL, 1UL);
            for (var j = 0; j < points.Length; j++)
            {
                if (j != i)
                {
                    numerator = Multiply(numerator, Subtract(at, points[j]));
                    denominator = Multiply(denominator, Subtract(points[i], points[j]));
                }
            }

            coefficients[i] = Multiply(numerator, Invert(denominator));
        }

        return coefficients;
    }
}
