using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting;

/// <summary>The inverse questions: how much noise, how many steps, which sampling probability a target (ε, δ) allows.</summary>
/// <remarks>
/// An accountant is the oracle; every answer is on the side where the target holds, and the accountant certifies it there. Cost: about
/// half a dozen evaluations of the accountant for a real parameter, 2·log₂ T for a count.
/// </remarks>
public static class Calibration
{
    private const double Precision = 1e-6;
    private const double CoarseInterval = 1e-3;
    private const double LargestNoise = 1e9;
    private const double SmallestNoise = 1e-3;

    /// <summary>The smallest noise multiplier whose event is (ε, δ)-DP.</summary>
    /// <param name="accountant">Who certifies.</param>
    /// <param name="eventAt">The planned event as a function of its noise multiplier; a larger multiplier never costs more.</param>
    /// <param name="epsilon">Target ε, positive.</param>
    /// <param name="delta">Target δ in [0, 1).</param>
    /// <exception cref="PrivacyException">No noise reaches the target, or the target is no (ε, δ).</exception>
    public static double NoiseMultiplier(IPrivacyAccountant accountant, Func<double, PrivacyEvent> eventAt, double epsilon, double delta)
    {
        ArgumentNullException.ThrowIfNull(eventAt);
        CheckTarget(accountant, epsilon, delta);
        if (accountant is not PldAccountant)
        {
            return Solve(accountant, eventAt, epsilon, delta, 1, Precision);
        }

        // On coarse cells the answer is at most a little too large and ten times cheaper to find; it is then refined on the accountant's own.
        var coarse = Solve(new PldAccountant(new PldAccountantOptions { DiscretizationInterval = CoarseInterval }), eventAt, epsilon, delta, 1, 1e-3);
        return Solve(accountant, eventAt, epsilon, delta, coarse, Precision);
    }

    /// <param name="start">A guess; the closer it is, the fewer evaluations.</param>
    private static double Solve(
        IPrivacyAccountant accountant, Func<double, PrivacyEvent> eventAt, double epsilon, double delta, double start, double precision)
    {
        double EpsilonAt(double noise) => accountant.Epsilon(eventAt(noise), delta);
        var factor = start == 1 ? 2 : 1.01;
        var high = start;
        while (EpsilonAt(high) > epsilon)
        {
            high *= factor;
            factor = 2;
            if (high > LargestNoise)
            {
                throw new PrivacyException(
                    $"No noise multiplier up to {LargestNoise:G2} brings ε to {epsilon} at δ = {delta} with the {accountant.Name} accountant: "
                    + "some cost does not depend on the noise, or δ is too small.");
            }
        }

        var low = high / factor;
        while (EpsilonAt(low) <= epsilon)
        {
            (low, high) = (low / 2, low);
            if (high < SmallestNoise)
            {
                return high;
            }
        }

        return MonotoneRoot.SmallestAtMost(EpsilonAt, epsilon, low, high, precision);
    }

    /// <summary>The largest number of repetitions of an event that is (ε, δ)-DP; 0 where one is too many.</summary>
    /// <param name="accountant">Who certifies.</param>
    /// <param name="step">One repetition.</param>
    /// <param name="epsilon">Target ε, positive.</param>
    /// <param name="delta">Target δ in [0, 1).</param>
    /// <param name="limit">Largest answer of interest; also returned where the event costs nothing.</param>
    public static long Steps(IPrivacyAccountant accountant, PrivacyEvent step, double epsilon, double delta, long limit = 1_000_000_000)
    {
        ArgumentNullException.ThrowIfNull(step);
        CheckTarget(accountant, epsilon, delta);
        bool Allowed(long count) => accountant.Epsilon(step.Repeated(count), delta) <= epsilon;
        if (!Allowed(1))
        {
            return 0;
        }

        var (low, high) = (1L, 2L);
        while (high <= limit && Allowed(high))
        {
            (low, high) = (high, high * 2);
        }

        if (high > limit && (low == limit || Allowed(limit)))
        {
            return limit;
        }

        high = Math.Min(high, limit);
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            (low, high) = Allowed(middle) ? (middle, high) : (low, middle);
        }

        return low;
    }

    /// <summary>The largest sampling probability whose event is (ε, δ)-DP; 0 where none is.</summary>
    /// <param name="accountant">Who certifies.</param>
    /// <param name="eventAt">The planned event as a function of its sampling probability; a larger one never costs less.</param>
    /// <param name="epsilon">Target ε, positive.</param>
    /// <param name="delta">Target δ in [0, 1).</param>
    public static double SamplingProbability(IPrivacyAccountant accountant, Func<double, PrivacyEvent> eventAt, double epsilon, double delta)
    {
        ArgumentNullException.ThrowIfNull(eventAt);
        CheckTarget(accountant, epsilon, delta);
        bool Allowed(double q) => accountant.Epsilon(eventAt(q), delta) <= epsilon;
        if (Allowed(1))
        {
            return 1;
        }

        // Bisection on the logarithm, from below one in a billion.
        var (low, high) = (1e-9, 1.0);
        if (!Allowed(low))
        {
            return 0;
        }

        while (high / low - 1 > 1e-6)
        {
            var middle = Math.Sqrt(low * high);
            (low, high) = Allowed(middle) ? (middle, high) : (low, middle);
        }

        return low;
    }

    private static void CheckTarget(IPrivacyAccountant accountant, double epsilon, double delta)
    {
        ArgumentNullException.ThrowIfNull(accountant);
        AccountantGuard.Delta(delta);
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
        {
            throw new PrivacyException($"A target ε must be positive and finite, but is {epsilon}.");
        }
    }
}
