namespace Federated.Privacy.Randomness;

/// <summary>
/// The discrete Gaussian N_ℤ(0, σ²), Pr[x] ∝ exp(−x²/(2σ²)) on the integers, drawn exactly: added to an integer statistic of L2
/// sensitivity Δ it is Δ²/(2σ²)-zCDP, as the continuous Gaussian is in real arithmetic, and with no floating-point caveat.
/// </summary>
/// <remarks>
/// Canonne, Kamath, Steinke, NeurIPS 2020, Algorithm 3, https://arxiv.org/abs/2004.00010. Deviation: none in law (see
/// <see cref="ExactBernoulli"/>). σ² is a rational; a σ given as a double is rounded up to a multiple of 2⁻¹⁶ in σ².
/// Cost: about 100 ns a draw at any σ; the rejection is unbounded, as it must be. Variance is σ² to 10⁻⁶ for σ ≥ 1, a little less below.
/// </remarks>
public sealed class DiscreteGaussian
{
    private const int MaxSigma = 1 << 20;
    private readonly ulong numerator;
    private readonly ulong denominator;
    private readonly ulong t;
    private readonly double centre;
    private readonly double inverseTwiceVariance;
    private readonly UInt128 acceptDenominator;

    /// <param name="sigmaSquaredNumerator">num, of σ² = num/den; σ at most 2²⁰.</param>
    /// <param name="sigmaSquaredDenominator">den, at most 2¹⁶.</param>
    public DiscreteGaussian(ulong sigmaSquaredNumerator, ulong sigmaSquaredDenominator = 1)
    {
        ArgumentOutOfRangeException.ThrowIfZero(sigmaSquaredNumerator);
        ArgumentOutOfRangeException.ThrowIfZero(sigmaSquaredDenominator);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sigmaSquaredDenominator, 1UL << 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            sigmaSquaredNumerator, sigmaSquaredDenominator * MaxSigma * MaxSigma, nameof(sigmaSquaredNumerator));
        (numerator, denominator) = (sigmaSquaredNumerator, sigmaSquaredDenominator);
        SigmaSquared = (double)numerator / denominator;
        t = IntegerSquareRoot(numerator / denominator) + 1;
        centre = SigmaSquared / t;
        inverseTwiceVariance = 0.5 / SigmaSquared;
        acceptDenominator = (UInt128)2 * numerator * denominator * t * t;
    }

    /// <summary>σ², exactly the rational that the sampler uses when it fits a double.</summary>
    public double SigmaSquared { get; }

    /// <summary>Exact variance: Σ x²·Pr[x], below σ² by a relative 8π²σ²·exp(−2π²σ²).</summary>
    public double Variance
    {
        get
        {
            double sum = 0;
            for (var x = (long)Math.Ceiling(Math.Sqrt(SigmaSquared) * 12) + 8; x >= 1; x--)
            {
                sum += (double)x * x * Math.Exp(-(double)x * x * inverseTwiceVariance);
            }

            return 2 * sum / NormalisingConstant;
        }
    }

    /// <summary>Σ exp(−x²/(2σ²)) over the integers.</summary>
    public double NormalisingConstant
    {
        get
        {
            if (SigmaSquared > 4)
            {
                // Poisson summation: σ√(2π)·(1 + 2 Σ exp(−2π²σ²k²)), whose second term is below 10⁻³⁴ here.
                return Math.Sqrt(2 * Math.PI * SigmaSquared);
            }

            double sum = 0;
            for (var x = 40; x >= 1; x--)
            {
                sum += Math.Exp(-(double)x * x * inverseTwiceVariance);
            }

            return 1 + (2 * sum);
        }
    }

    /// <summary>The law of standard deviation parameter at least <paramref name="sigma"/>: σ² is rounded up, never down.</summary>
    public static DiscreteGaussian FromSigma(double sigma)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sigma);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sigma, MaxSigma);
        var square = Math.ScaleB(sigma * sigma, 16);
        var up = Math.Ceiling(square);
        return sigma * sigma == Math.Floor(sigma * sigma)
            ? new DiscreteGaussian((ulong)(sigma * sigma))
            : new DiscreteGaussian(Math.Min((ulong)up, 1UL << 56), 1UL << 16);
    }

    /// <summary>Pr[x].</summary>
    public double Probability(long x) => Math.Exp(-(double)x * x * inverseTwiceVariance) / NormalisingConstant;

    public long Next(IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        while (true)
        {
            var negative = random.NextBit();
            var y = DiscreteLaplace.NextGeometric(random, 1, t);
            if (negative && y == 0)
            {
                continue;
            }

            // Accept with exp(−(|y| − σ²/t)²/(2σ²)), the exponent as the rational (|y|·t·den − num)² / (2·num·den·t²).
            var product = (Int128)y * t * denominator - numerator;
            var distance = (UInt128)(product < 0 ? -product : product);
            var exponent = (y - centre) * (y - centre) * inverseTwiceVariance;
            var accepted = exponent < 16
                ? ExactBernoulli.ExpNegative(random, distance * distance, acceptDenominator, exponent)
                : ExactBernoulli.ExpNegative(random, checked(distance * distance), acceptDenominator);
            if (accepted)
            {
                return negative ? -y : y;
            }
        }
    }

    /// <summary>Adds an independent draw to every entry; blocks run in parallel, each on its own stream.</summary>
    public void AddTo(Span<long> values, IRandomSource random, int maxThreads = 0)
    {
        BlockParallel.ForEachBlock(values, random, maxThreads, (block, stream) =>
        {
            for (var i = 0; i < block.Length; i++)
            {
                block[i] = checked(block[i] + Next(stream));
            }
        });
    }

    private static ulong IntegerSquareRoot(ulong value)
    {
        var root = (ulong)Math.Sqrt(value);
        while ((UInt128)root * root > value)
        {
            root--;
        }

        while ((UInt128)(root + 1) * (root + 1) <= value)
        {
            root++;
        }

        return root;
    }
}
