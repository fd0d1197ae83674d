using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>The dominating pairs of mechanisms with discrete outputs.</summary>
internal static class AtomicPairs
{
    private const double TailDeviations = 12;
    private const long MaximumAtoms = 1 << 25;

    /// <summary>Binary randomised response, which dominates every ε-DP mechanism; with δ &gt; 0, every (ε, δ)-DP one.</summary>
    public static AtomicPair Approximate(double epsilon, double delta)
    {
        var more = (1 - delta) / (1 + Math.Exp(-epsilon));
        var less = (1 - delta) / (1 + Math.Exp(epsilon));
        return new AtomicPair([more, less], [less, more], [epsilon, -epsilon], delta, delta);
    }

    /// <summary>k-ary randomised response on two different inputs.</summary>
    public static AtomicPair RandomizedResponse(double epsilon, int categories)
    {
        var other = Math.Exp(-epsilon) / (1 + (categories - 1) * Math.Exp(-epsilon));
        var kept = 1 / (1 + (categories - 1) * Math.Exp(-epsilon));
        return new AtomicPair(
            [kept, other, (categories - 2) * other], [other, kept, (categories - 2) * other], [epsilon, -epsilon, 0]);
    }

    /// <summary>A discrete Gaussian around Δ against one around 0.</summary>
    public static AtomicPair DiscreteGaussian(double variance, int sensitivity)
    {
        var reach = (long)Math.Ceiling(TailDeviations * Math.Sqrt(variance)) + 1;
        var weights = Weights(reach, sensitivity, x => -0.5 * x * x / variance, "discrete Gaussian");
        // Tail beyond reach + 1, by the geometric series of the first ratio.
        var ratio = Math.Exp(-(reach + 0.5) / variance);
        var tail = weights[reach] * ratio / (1 - ratio);
        return Shifted(weights, reach, sensitivity, tail, x => sensitivity * (2.0 * x - sensitivity) / (2 * variance));
    }

    /// <summary>Skellam noise of a variance around Δ against around 0: probability e^(−μ)·I_|x|(μ).</summary>
    public static AtomicPair Skellam(double variance, int sensitivity)
    {
        var reach = (long)Math.Ceiling(TailDeviations * Math.Sqrt(variance) + 2 * TailDeviations * TailDeviations) + 1;
        var logRatios = BesselLogRatios(variance, reach + sensitivity + 2);
        var logs = new double[reach + sensitivity + 2];
        for (var x = 1; x < logs.Length; x++)
        {
            logs[x] = logs[x - 1] + logRatios[x - 1];
        }

        var weights = Weights(reach, sensitivity, x => logs[(int)Math.Abs(x)], "Skellam");
        var ratio = Math.Exp(logRatios[reach]);
        var tail = weights[reach] * ratio / (1 - ratio);
        return Shifted(weights, reach, sensitivity, tail, x => logs[(int)Math.Abs(x - sensitivity)] - logs[(int)Math.Abs(x)]);
    }

    /// <summary>Bin(n, p) + Δ against Bin(n, p): a sum of shuffled bits of which one user moves Δ.</summary>
    public static AtomicPair BinomialShift(long trials, double probability, long shift)
    {
        var reach = TailDeviations * Math.Sqrt(trials * probability * (1 - probability)) + 2 * TailDeviations * TailDeviations;
        var first = Math.Max(shift, (long)Math.Floor(trials * probability - reach));
        var last = Math.Min(trials, (long)Math.Ceiling(trials * probability + reach) + shift);
        if (last < first)
        {
            return new AtomicPair([0], [0], [0], 1, 1);
        }

        RequireAtoms(last - first, "binomial");
        var count = (int)(last - first + 1);
        var (p, q, loss) = (new double[count], new double[count], new double[count]);
        for (var i = 0; i < count; i++)
        {
            var shifted = BinomialDistribution.LogPmf(first + i - shift, trials, probability);
            var plain = BinomialDistribution.LogPmf(first + i, trials, probability);
            (p[i], q[i], loss[i]) = (Math.Exp(shifted), Math.Exp(plain), shifted - plain);
        }

        var onlyP = BinomialDistribution.UpperTail(last - shift + 1, trials, probability)
            + BinomialDistribution.LowerTail(first - shift - 1, trials, probability);
        var onlyQ = BinomialDistribution.LowerTail(first - 1, trials, probability)
            + BinomialDistribution.UpperTail(last + 1, trials, probability);
        return new AtomicPair(p, q, loss, onlyP, onlyQ);
    }

    /// <summary>ln(I_(k+1)(μ)/I_k(μ)) for k = 0 … count − 1, by the downward recurrence, which forgets its start.</summary>
    private static double[] BesselLogRatios(double mu, long count)
    {
        RequireAtoms(count, "Skellam");
        var ratios = new double[count];
        var start = count + 60 + (long)(10 * Math.Sqrt(mu));
        // Amos' bound is within O(1/k²) of the truth at the start, and the recurrence contracts from there.
        var ratio = mu / (start + 0.5 + Math.Sqrt((start + 1.5) * (start + 1.5) + mu * mu));
        for (var k = start; k >= 0; k--)
        {
            ratio = 1 / (2 * (k + 1) / mu + ratio);
            if (k < count)
            {
                ratios[k] = Math.Log(ratio);
            }
        }

        return ratios;
    }

    /// <summary>Normalised probabilities of 0 … reach + Δ of a distribution on ℤ that is symmetric about 0.</summary>
    private static double[] Weights(long reach, int sensitivity, Func<double, double> logWeight, string what)
    {
        RequireAtoms(reach + sensitivity, what);
        var weights = new double[reach + sensitivity + 1];
        var sum = new CompensatedSum();
        for (var x = weights.Length - 1; x >= 1; x--)
        {
            weights[x] = Math.Exp(logWeight(x));
            sum.Add(2 * weights[x]);
        }

        weights[0] = Math.Exp(logWeight(0));
        sum.Add(weights[0]);
        for (var x = 0; x < weights.Length; x++)
        {
            weights[x] /= sum.Value;
        }

        return weights;
    }

    /// <summary>The pair on outcomes −reach … reach + Δ. Beyond the upper end P loses more than any outcome kept, which counts as infinite; beyond the lower one less than the lowest outcome, which takes it.</summary>
    private static AtomicPair Shifted(double[] weights, long reach, int sensitivity, double tail, Func<long, double> lossAt)
    {
        var count = (int)(2 * reach + 1 + sensitivity);
        var (p, q, loss) = (new double[count], new double[count], new double[count]);
        for (var i = 0; i < count; i++)
        {
            var x = i - reach;
            (p[i], q[i], loss[i]) = (weights[Math.Abs(x - sensitivity)], weights[Math.Abs(x)], lossAt(x));
        }

        p[0] += tail;
        q[^1] += tail;
        return new AtomicPair(p, q, loss, tail, tail);
    }

    private static void RequireAtoms(long atoms, string what)
    {
        if (atoms > MaximumAtoms)
        {
            throw new PrivacyException(
                $"The {what} noise spreads over {atoms} integers, more than the {MaximumAtoms} that are summed exactly: use the rdp accountant, or a coarser grid.");
        }
    }
}
