using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting;

/// <summary>
/// The exact (ε, δ) trade-off of one Gaussian release: noise of standard deviation z times the L2 sensitivity of the query. Several
/// releases on the same unit are one release with z = (Σ zᵢ⁻²)^(−1/2), also when they are chosen adaptively.
/// </summary>
/// <remarks>
/// <para>
/// Balle and Wang, "Improving the Gaussian Mechanism for Differential Privacy", ICML 2018, theorem 8, https://arxiv.org/abs/1805.06530:
/// δ(ε) = Φ(1/(2z) − εz) − e^ε Φ(−1/(2z) − εz). Composition: Dong, Roth, Su, "Gaussian Differential Privacy", corollary 3.3.
/// </para>
/// <para>
/// Deviation: the difference is evaluated as φ(a)·(m(a) − m(a + 1/z)) with a = εz − 1/(2z) and Mills' ratio m, equal because
/// φ(a) = e^ε φ(a + 1/z); it keeps its digits where e^ε overflows. Cost: O(1), about 60 steps of bisection for an inverse. Relative
/// tolerance 10⁻¹². An inverse is the upper end of its last interval, so that the certified inequality holds at the value returned.
/// </para>
/// </remarks>
public static class AnalyticGaussian
{
    /// <summary>The smallest δ at which the release is (ε, δ)-DP.</summary>
    /// <param name="noiseMultiplier">z: noise standard deviation over L2 sensitivity; positive.</param>
    /// <param name="epsilon">ε ≥ 0.</param>
    public static double Delta(double noiseMultiplier, double epsilon)
    {
        CheckNoise(noiseMultiplier);
        CheckEpsilon(epsilon);
        return HockeyStick(noiseMultiplier, epsilon);
    }

    /// <summary>The smallest ε at which the release is (ε, δ)-DP; 0 where δ alone covers it.</summary>
    /// <param name="noiseMultiplier">z: noise standard deviation over L2 sensitivity; positive.</param>
    /// <param name="delta">δ in (0, 1).</param>
    public static double Epsilon(double noiseMultiplier, double delta)
    {
        CheckNoise(noiseMultiplier);
        CheckDelta(delta);
        if (HockeyStick(noiseMultiplier, 0) <= delta)
        {
            return 0;
        }

        // δ(ε) ≤ Pr[loss > ε] and the loss is N(1/(2z²), 1/z²).
        var high = 0.5 / (noiseMultiplier * noiseMultiplier) + Math.Max(0, NormalDistribution.UpperQuantile(delta)) / noiseMultiplier;
        return Bisection.SmallestWhere(0, high, epsilon => HockeyStick(noiseMultiplier, epsilon) <= delta);
    }

    /// <summary>The smallest noise multiplier z at which one release is (ε, δ)-DP.</summary>
    /// <param name="epsilon">ε ≥ 0.</param>
    /// <param name="delta">δ in (0, 1).</param>
    public static double NoiseMultiplier(double epsilon, double delta)
    {
        CheckEpsilon(epsilon);
        CheckDelta(delta);
        bool Suffices(double noiseMultiplier) => HockeyStick(noiseMultiplier, epsilon) <= delta;
        var high = 1.0;
        while (!Suffices(high))
        {
            high *= 2;
        }

        while (Suffices(high / 2) && high > 1e-300)
        {
            high /= 2;
        }

        return Bisection.SmallestWhere(high / 2, high, Suffices);
    }

    /// <summary>The one multiplier of several Gaussian releases on the same unit: (Σ countᵢ·zᵢ⁻²)^(−1/2).</summary>
    public static double Compose(IEnumerable<(double NoiseMultiplier, long Count)> releases)
    {
        ArgumentNullException.ThrowIfNull(releases);
        var precision = 0.0;
        foreach (var (noiseMultiplier, count) in releases)
        {
            CheckNoise(noiseMultiplier);
            ArgumentOutOfRangeException.ThrowIfNegative(count);
            precision += count / (noiseMultiplier * noiseMultiplier);
        }

        return 1 / Math.Sqrt(precision);
    }

    /// <summary>D_(e^ε) between N(1, z²) and N(0, z²), for every real ε.</summary>
    internal static double HockeyStick(double noiseMultiplier, double epsilon)
    {
        if (double.IsPositiveInfinity(noiseMultiplier))
        {
            return epsilon < 0 ? -LogSpace.ExpM1(epsilon) : 0;
        }

        var step = 1 / noiseMultiplier;
        var a = epsilon * noiseMultiplier - 0.5 * step;
        if (a < -1)
        {
            // Around and left of the mean nothing cancels, and Mills' ratio would overflow.
            var b = a + step;
            var rest = Math.Exp(epsilon + ErrorFunction.LogErfc(b * 0.70710678118654752440)) * 0.5;
            return Math.Max(0, NormalDistribution.Cdf(-a) - rest);
        }

        return Math.Max(0, NormalDistribution.Density(a) * NormalDistribution.MillsDrop(a, step));
    }

    private static void CheckNoise(double noiseMultiplier)
    {
        if (!(noiseMultiplier > 0))
        {
            throw new PrivacyException(
                $"A Gaussian release needs a positive noise multiplier (noise standard deviation over L2 sensitivity), but got {noiseMultiplier}.");
        }
    }

    private static void CheckEpsilon(double epsilon)
    {
        if (!(epsilon >= 0))
        {
            throw new PrivacyException($"ε must be zero or more, but is {epsilon}.");
        }
    }

    private static void CheckDelta(double delta)
    {
        if (!(delta is > 0 and < 1))
        {
            throw new PrivacyException($"δ must lie strictly between 0 and 1, but is {delta}: Gaussian noise has no pure-ε guarantee.");
        }
    }
}
