using Federated.Privacy.Accounting;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>
/// How many noise bits the shuffled sums P_1D and P_VEC of Cheu, Joseph, Mao and Peng need, by the exact hockey-stick divergence of
/// binomial noise under an integer shift instead of asymptotic constants.
/// </summary>
/// <remarks>
/// <para>
/// Cheu, Joseph, Mao, Peng, "Shuffle Private Stochastic Convex Optimization", ICLR 2022, https://arxiv.org/abs/2106.09805. Each of n users
/// rounds a value of [0, 1] to g levels and adds b noise bits; the shuffled bits reveal exactly their sum, that is the integer sum plus
/// Bin(nb, p), which one user moves by at most g. Deviation: the theorem's b = 24·10⁴·g²·ln²(4(d² + 1)/δ)/(ε²n) is about 10⁶ times larger
/// than what is needed, and the constant 1 of published experiments is unproven; here δ(ε) is summed.
/// </para>
/// <para>Cost: O(√N) per evaluation.</para>
/// </remarks>
public static class ShuffledSum
{
    /// <summary>The smallest δ at ε of Bin(N, p) noise under a shift of the sum.</summary>
    /// <param name="trials">N, noise bits in the batch.</param>
    /// <param name="probability">p of each bit.</param>
    /// <param name="shift">g, largest change by one user.</param>
    /// <param name="epsilon">ε ≥ 0.</param>
    public static double Delta(long trials, double probability, long shift, double epsilon)
    {
        Check(trials, probability, shift);
        if (!(epsilon >= 0))
        {
            throw new PrivacyException($"ε must be zero or more, but is {epsilon}.");
        }

        var up = Divergence(trials, probability, shift, epsilon);
        return probability == 0.5 ? up : Math.Max(up, Divergence(trials, 1 - probability, shift, epsilon));
    }

    /// <summary>The smallest ε at δ of Bin(N, p) noise under a shift of the sum; +∞ where the edge of the support alone exceeds δ.</summary>
    public static double Epsilon(long trials, double probability, long shift, double delta)
    {
        Check(trials, probability, shift);
        CheckDelta(delta);
        if (Delta(trials, probability, shift, 0) <= delta)
        {
            return 0;
        }

        // Beyond this the whole loss that is finite has been passed.
        var high = 1.0;
        while (Delta(trials, probability, shift, high) > delta)
        {
            high *= 2;
            if (high > 1e4)
            {
                return double.PositiveInfinity;
            }
        }

        return Bisection.SmallestWhere(0, high, epsilon => Delta(trials, probability, shift, epsilon) <= delta, 1e-12);
    }

    /// <summary>The smallest number of noise bits N in the batch at which the sum is (ε, δ)-DP.</summary>
    /// <param name="shift">g, largest change of the sum by one user.</param>
    /// <param name="epsilon">ε, positive.</param>
    /// <param name="delta">δ in (0, 1).</param>
    /// <param name="probability">p of each noise bit; ½ is the best.</param>
    public static long Trials(long shift, double epsilon, double delta, double probability = 0.5)
    {
        CheckDelta(delta);
        var sigma = AnalyticGaussian.NoiseMultiplier(EpsilonTarget(epsilon), delta);
        var variance = probability * (1 - probability);
        bool Suffices(long trials) => Delta(trials, probability, shift, epsilon) <= delta;
        var guess = Math.Max(shift, (long)Math.Ceiling(sigma * sigma * shift * shift / variance));
        var (low, high) = (0L, guess);
        while (!Suffices(high))
        {
            (low, high) = (high, high + Math.Max(1, high / 16));
        }

        low = Math.Max(low, high - Math.Max(1, high / 4));
        while (low > 0 && Suffices(low))
        {
            (low, high) = (low / 2, low);
        }

        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            (low, high) = Suffices(middle) ? (low, middle) : (middle, high);
        }

        return high;
    }

    /// <summary>
    /// Noise bits for each coordinate of a vector whose integer change by one user has L2 norm at most <paramref name="l2Shift"/>, with the
    /// guarantee that was checked.
    /// </summary>
    /// <remarks>
    /// Chosen from the Gaussian limit N = 4σ²G² and then raised, one per cent at a time, until the composed exact losses of every equal
    /// split of G over 1, 4, 16, … coordinates are within ε; one per cent is added on top, because that no unequal split is worse is
    /// observed (to 10⁻³) but not proven.
    /// </remarks>
    /// <param name="dimension">d, number of coordinates.</param>
    /// <param name="l2Shift">G, largest L2 norm of the integer change by one user, rounding included. At least 1.</param>
    /// <param name="epsilon">ε, positive.</param>
    /// <param name="delta">δ in (0, 1).</param>
    public static long VectorTrials(int dimension, double l2Shift, double epsilon, double delta)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        CheckDelta(delta);
        if (!(l2Shift >= 1 && double.IsFinite(l2Shift)))
        {
            throw new PrivacyException($"The L2 change of an integer vector is at least 1, but {l2Shift} was given: use more levels.");
        }

        var sigma = AnalyticGaussian.NoiseMultiplier(EpsilonTarget(epsilon), delta);
        var trials = (long)Math.Ceiling(4 * sigma * sigma * l2Shift * l2Shift);
        var accountant = new PldAccountant();
        while (!Splits(dimension, l2Shift).All(split => VectorEpsilon(accountant, trials, split.Coordinates, split.Shift, delta) <= epsilon))
        {
            trials += Math.Max(1, trials / 100);
        }

        return trials + Math.Max(1, trials / 100);
    }

    /// <summary>Coordinates m and integer shift k with m·k² ≥ G², for m = 1, 4, 16, … up to the dimension.</summary>
    private static IEnumerable<(int Coordinates, long Shift)> Splits(int dimension, double l2Shift)
    {
        for (var m = 1L; m <= dimension && m <= l2Shift * l2Shift; m *= 4)
        {
            yield return ((int)m, (long)Math.Ceiling(l2Shift / Math.Sqrt(m) - 1e-9));
        }
    }

    private static double VectorEpsilon(PldAccountant accountant, long trials, int coordinates, long shift, double delta) => coordinates == 1
        ? Epsilon(trials, 0.5, shift, delta)
        : accountant.Epsilon(new BinomialShiftEvent(PrivacyUnit.ClientParticipation, trials, 0.5, shift).Repeated(coordinates), delta);

    /// <summary>D_ε(Bin + g ‖ Bin): outcomes from the first at which pmf(x − g) exceeds e^ε·pmf(x).</summary>
    private static double Divergence(long trials, double probability, long shift, double epsilon)
    {
        bool Exceeds(long x) => x > trials
            || BinomialDistribution.LogPmf(x - shift, trials, probability) > epsilon + BinomialDistribution.LogPmf(x, trials, probability);
        var (low, high) = (shift - 1, trials + 1);
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            (low, high) = Exceeds(middle) ? (low, middle) : (middle, high);
        }

        var more = BinomialDistribution.UpperTail(high - shift, trials, probability);
        var less = BinomialDistribution.UpperTail(high, trials, probability);
        return less == 0 ? more : Math.Max(0, more - Math.Exp(epsilon) * less);
    }

    private static double EpsilonTarget(double epsilon) => epsilon > 0 && double.IsFinite(epsilon)
        ? epsilon
        : throw new PrivacyException($"A target ε must be positive and finite, but is {epsilon}.");

    private static void CheckDelta(double delta)
    {
        if (!(delta is > 0 and < 1))
        {
            throw new PrivacyException($"δ must lie strictly between 0 and 1, but is {delta}.");
        }
    }

    private static void Check(long trials, double probability, long shift)
    {
        if (trials < 1 || shift < 1 || !(probability is > 0 and < 1))
        {
            throw new PrivacyException(
                $"A shuffled sum needs noise bits, a shift of at least 1 and a bit probability inside (0, 1), but N = {trials}, g = {shift}, p = {probability}.");
        }
    }
}
