using Federated.Privacy.Numerics;

namespace Federated.Privacy.Audit;

/// <summary>Exact confidence limits of a probability from a count, and the lower bound of ε that two of them give.</summary>
/// <remarks>
/// Clopper and Pearson, Biometrika 1934. The audit: Jagielski, Ullman, Oprea, "Auditing Differentially Private Machine Learning", NeurIPS
/// 2020, https://arxiv.org/abs/2006.07709: (ε, δ)-DP implies TPR ≤ e^ε·FPR + δ for every attack.
/// </remarks>
public static class ClopperPearson
{
    /// <summary>A value that the probability exceeds, but for a chance of <paramref name="error"/>.</summary>
    public static double Lower(long successes, long trials, double error)
    {
        Check(successes, trials, error);
        return successes == 0 ? 0 : IncompleteBeta.Inverse(error, successes, trials - successes + 1);
    }

    /// <summary>A value that the probability is below, but for a chance of <paramref name="error"/>.</summary>
    public static double Upper(long successes, long trials, double error)
    {
        Check(successes, trials, error);
        return successes == trials ? 1 : IncompleteBeta.Inverse(1 - error, successes + 1, trials - successes);
    }

    /// <summary>
    /// The lower bound of ε at δ from an attack's hits: max of ln((TPR − δ)/FPR) and, for the complement, ln((1 − FPR − δ)/(1 − TPR)),
    /// each rate at its worse limit; 0 when neither says anything.
    /// </summary>
    /// <param name="truePositives">Times the attack said "in" of <paramref name="positives"/> runs with the unit in.</param>
    /// <param name="positives">Runs with the unit in.</param>
    /// <param name="falsePositives">Times the attack said "in" of <paramref name="negatives"/> runs without it.</param>
    /// <param name="negatives">Runs without it.</param>
    /// <param name="delta">δ.</param>
    /// <param name="error">1 − confidence, for both limits of a rate pair together; each pair is tested.</param>
    public static double EpsilonLowerBound(long truePositives, long positives, long falsePositives, long negatives, double delta, double error)
    {
        var direct = Ratio(Lower(truePositives, positives, error / 2), Upper(falsePositives, negatives, error / 2), delta);
        var complement = Ratio(
            Lower(negatives - falsePositives, negatives, error / 2), Upper(positives - truePositives, positives, error / 2), delta);
        return Math.Max(0, Math.Max(direct, complement));
    }

    private static double Ratio(double hit, double alarm, double delta) => hit > delta ? Math.Log((hit - delta) / alarm) : 0;

    private static void Check(long successes, long trials, double error)
    {
        if (trials < 1 || successes < 0 || successes > trials || !(error is > 0 and < 1))
        {
            throw new PrivacyException(
                $"A confidence limit needs 0 ≤ successes ≤ trials, a trial or more, and an error in (0, 1); they are {successes}, {trials}, {error}.");
        }
    }
}
