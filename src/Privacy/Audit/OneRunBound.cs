using Federated.Privacy.Numerics;

namespace Federated.Privacy.Audit;

/// <summary>
/// The lower bound of ε from one run with many canaries: if a mechanism is (ε, δ)-DP, an attack cannot guess which of m independent canaries
/// were in better than by randomised response, but for a correction in δ.
/// </summary>
/// <remarks>
/// Steinke, Nasr, Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023, Theorem 5.2, https://arxiv.org/abs/2305.08846.
/// <code>
/// m canaries, each in by a fair coin; r guesses (the rest abstained), v right
/// p(ε) = β + 2mδα,  β = Pr[Bin(r, e^ε/(1+e^ε)) ≥ v],  α = max over 1 ≤ i ≤ v of (Pr[Bin ≥ v − i] − β)/i
/// </code>
/// Deviation: none. One public implementation drops the term 2mδα, which is invalid for δ &gt; 0. Cost: O(v) an evaluation.
/// </remarks>
public static class OneRunBound
{
    /// <summary>The probability of v or more right guesses, at most, under (ε, δ)-DP.</summary>
    public static double PValue(long canaries, long guesses, long correct, double epsilon, double delta)
    {
        Check(canaries, guesses, correct, delta);
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        var truth = 1 / (1 + Math.Exp(-epsilon));
        var beta = BinomialDistribution.UpperTail(correct, guesses, truth);
        if (delta == 0)
        {
            return beta;
        }

        double alpha = 0, sum = 0;
        for (var i = 1L; i <= correct; i++)
        {
            sum += BinomialDistribution.Pmf(correct - i, guesses, truth);
            alpha = Math.Max(alpha, sum / i);
        }

        return Math.Min(1, beta + (2 * canaries * delta * alpha));
    }

    /// <summary>The largest ε that the guesses refute at the given confidence; 0 when none.</summary>
    /// <param name="canaries">m.</param>
    /// <param name="guesses">r.</param>
    /// <param name="correct">v.</param>
    /// <param name="delta">δ.</param>
    /// <param name="error">1 − confidence.</param>
    public static double EpsilonLowerBound(long canaries, long guesses, long correct, double delta, double error)
    {
        Check(canaries, guesses, correct, delta);
        if (!(error is > 0 and < 1))
        {
            throw new PrivacyException($"The error of a confidence bound must be in (0, 1); it is {error}.");
        }

        if (PValue(canaries, guesses, correct, 0, delta) > error)
        {
            return 0;
        }

        double low = 0, high = 1;
        while (PValue(canaries, guesses, correct, high, delta) <= error && high < 64)
        {
            high *= 2;
        }

        // The lower end: every ε up to it is refuted.
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = PValue(canaries, guesses, correct, middle, delta) <= error ? (middle, high) : (low, middle);
        }

        return low;
    }

    private static void Check(long canaries, long guesses, long correct, double delta)
    {
        if (guesses < 1 || guesses > canaries || correct < 0 || correct > guesses || !(delta is >= 0 and < 1))
        {
            throw new PrivacyException(
                $"A one-run audit needs 0 ≤ correct ≤ guesses ≤ canaries and δ in [0, 1); they are {correct}, {guesses}, {canaries}, {delta}.");
        }
    }
}
