using System.Numerics.Tensors;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>Σ wᵢ·N(sᵢ, σ²) against N(0, σ²), all sᵢ ≥ 0: the loss increases with the outcome, so each divergence is one pair of tails.</summary>
internal sealed class GaussianMixturePair : ProfilePair
{
    private readonly double[] shifts;
    private readonly double[] weights;
    private readonly double[] logWeights;
    private readonly double[] terms;
    private double lastOutcome;

    public GaussianMixturePair(double standardDeviation, IEnumerable<double> sensitivities, IEnumerable<double> probabilities)
    {
        // In units of the noise.
        var kept = sensitivities.Zip(probabilities).Where(part => part.Second > 0).OrderBy(part => part.First).ToArray();
        shifts = [.. kept.Select(part => part.First / standardDeviation)];
        weights = [.. kept.Select(part => part.Second)];
        terms = new double[kept.Length];
        logWeights = [.. kept.Select((part, i) => Math.Log(part.Second) - 0.5 * shifts[i] * shifts[i])];
        MaximumLoss = shifts[^1] == 0 ? 0 : Loss(shifts[^1] + TailDeviations).Value;
        MinimumLoss = shifts[^1] == 0 ? 0 : Loss(-TailDeviations).Value;
    }

    public override double MinimumLoss { get; }

    public override double MaximumLoss { get; }

    public override double Forward(double epsilon)
    {
        if (shifts[^1] == 0)
        {
            return 0;
        }

        var z = OutcomeAt(epsilon);
        var (more, less) = (0.0, NormalDistribution.UpperTail(z));
        for (var i = 0; i < shifts.Length; i++)
        {
            more += weights[i] * NormalDistribution.UpperTail(z - shifts[i]);
        }

        return Math.Max(0, more - Math.Exp(epsilon) * less);
    }

    public override double Reverse(double epsilon)
    {
        // Below ln w₀ the loss never falls.
        if (shifts[^1] == 0 || -epsilon <= Loss(-40).Value)
        {
            return 0;
        }

        var z = OutcomeAt(-epsilon);
        var less = 0.0;
        for (var i = 0; i < shifts.Length; i++)
        {
            less += weights[i] * NormalDistribution.Cdf(z - shifts[i]);
        }

        return Math.Max(0, NormalDistribution.Cdf(z) - Math.Exp(epsilon) * less);
    }

    /// <summary>The outcome at which the loss is ε, by Newton's method on a convex increasing function, from the last answer.</summary>
    private double OutcomeAt(double epsilon)
    {
        var z = lastOutcome;
        for (var step = 0; step < 100; step++)
        {
            var (value, slope) = Loss(z);
            var move = Math.Clamp((value - epsilon) / slope, -40, 40);
            z -= move;
            if (Math.Abs(move) < 1e-13 * (1 + Math.Abs(z)))
            {
                break;
            }
        }

        return lastOutcome = z;
    }

    /// <summary>ln Σ wᵢ·e^(zsᵢ − sᵢ²/2) and its derivative.</summary>
    private (double Value, double Slope) Loss(double z)
    {
        TensorPrimitives.MultiplyAdd(shifts, z, logWeights, terms);
        var peak = TensorPrimitives.Max<double>(terms);
        TensorPrimitives.Subtract(terms, peak, terms);
        TensorPrimitives.Exp<double>(terms, terms);
        var (sum, moment) = (TensorPrimitives.Sum<double>(terms), TensorPrimitives.Dot<double>(terms, shifts));
        return (peak + Math.Log(sum), moment / sum);
    }
}
