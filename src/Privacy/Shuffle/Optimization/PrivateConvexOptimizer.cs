using Federated.Privacy.Local.Vectors;

namespace Federated.Privacy.Shuffle.Optimization;

/// <summary>
/// Stochastic convex optimisation from private sums of gradients over disjoint batches of users: each user's gradient is used once, so the whole
/// run has the guarantee of one batch (parallel composition).
/// </summary>
/// <remarks>
/// Cheu, Joseph, Mao, Peng, "Shuffle Private Stochastic Convex Optimization", ICLR 2022, §4, https://arxiv.org/abs/2106.09805, with
/// the shuffled sum as protocol; other trust models plug in the same way, for comparison. T = ⌊n/batch⌋ steps, σ² = E‖estimate − ∇‖².
/// <code>
/// Sgd          w ← Π(w − η·g),  η = D/√(T(L² + σ²)),  result: mean of the iterates
/// Accelerated  u = (1−α)v + α·w,  w ← Π(w − (t+1)/2·γ·g(u)),  v ← (1−α)v + α·w,  α = 2/(t+1)
///              γ = min(1/(2β), √6·D/((T+2)^1.5·σ))        Lan, "An optimal method for stochastic composite optimization", Math. Prog. 2012
/// Smoothed     Accelerated on the Moreau envelopes, whose gradients β(w − prox(w)) are as bounded as the loss's; β = √T·L/D
/// </code>
/// Deviation: constants are Lan's and the textbook's rather than the paper's asymptotic choices. Cost: one gradient a user, O(d) memory.
/// </remarks>
public sealed class PrivateConvexOptimizer(PrivateOptimizerOptions options)
{
    /// <summary>Runs over users 0 … in order; the last incomplete batch is not used.</summary>
    /// <returns>The point found, d coordinates.</returns>
    public double[] Minimize(IUserLoss loss, IVectorSumProtocol protocol)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(protocol);
        var steps = options.BatchSize > 0 ? loss.Users / options.BatchSize : 0;
        if (steps < 1 || options.BatchSize < protocol.MinimumClients)
        {
            throw new PrivacyException(
                $"A batch needs at least {Math.Max(1, protocol.MinimumClients)} users and at most the {loss.Users} there are; it has {options.BatchSize}.");
        }

        if (options.Kind == PrivateOptimizerKind.Accelerated && !(options.Smoothness > 0))
        {
            throw new PrivacyException("The accelerated optimiser needs the loss's Smoothness; for losses that have none use Smoothed.");
        }

        return options.Kind == PrivateOptimizerKind.Sgd ? RunSgd(loss, protocol, steps) : RunAccelerated(loss, protocol, steps);
    }

    private double[] RunSgd(IUserLoss loss, IVectorSumProtocol protocol, int steps)
    {
        var noise = GradientVariance(loss, protocol);
        var rate = options.StepSize > 0
            ? options.StepSize
            : options.Radius / Math.Sqrt(steps * ((loss.Lipschitz * loss.Lipschitz) + noise));
        var point = new double[loss.Dimension];
        var average = new double[loss.Dimension];
        var gradient = new double[loss.Dimension];
        for (var t = 0; t < steps; t++)
        {
            EstimateGradient(loss, protocol, t, point, smoothness: 0, gradient);
            VectorMath.AddScaled<double>(point, gradient, -rate);
            Project(point);
            VectorMath.AddScaled<double>(average, point, 1.0 / steps);
        }

        return average;
    }

    private double[] RunAccelerated(IUserLoss loss, IVectorSumProtocol protocol, int steps)
    {
        var smoothed = options.Kind == PrivateOptimizerKind.Smoothed;
        var smoothness = options.Smoothness > 0 ? options.Smoothness : Math.Sqrt(steps) * loss.Lipschitz / options.Radius;
        var deviation = Math.Sqrt(GradientVariance(loss, protocol));
        var rate = options.StepSize > 0
            ? options.StepSize
            : Math.Min(1 / (2 * smoothness), Math.Sqrt(6) * options.Radius / (Math.Pow(steps + 2, 1.5) * deviation));
        var search = new double[loss.Dimension];
        var average = new double[loss.Dimension];
        var middle = new double[loss.Dimension];
        var gradient = new double[loss.Dimension];
        for (var t = 1; t <= steps; t++)
        {
            var alpha = 2.0 / (t + 1);
            Mix(average, search, alpha, middle);
            EstimateGradient(loss, protocol, t - 1, middle, smoothed ? smoothness : 0, gradient);
            VectorMath.AddScaled<double>(search, gradient, -rate * (t + 1) / 2);
            Project(search);
            Mix(average, search, alpha, average);
        }

        return average;
    }

    /// <summary>The private mean of a batch's gradients.</summary>
    private void EstimateGradient(IUserLoss loss, IVectorSumProtocol protocol, int batch, double[] point, double smoothness, double[] gradient)
    {
        for (var i = 0; i < options.BatchSize; i++)
        {
            var user = (batch * options.BatchSize) + i;
            if (smoothness == 0)
            {
                loss.Gradient(user, point, gradient);
            }
            else
            {
                loss.Proximal(user, smoothness, point, gradient);
                for (var j = 0; j < gradient.Length; j++)
                {
                    gradient[j] = smoothness * (point[j] - gradient[j]);
                }
            }

            protocol.Add(gradient);
        }

        protocol.Release(gradient);
        VectorMath.Scale<double>(gradient, 1.0 / options.BatchSize);
    }

    /// <summary>σ²: privacy noise and sampling of a batch's mean gradient, summed over coordinates.</summary>
    private double GradientVariance(IUserLoss loss, IVectorSumProtocol protocol) =>
        (loss.Dimension * protocol.NoiseVariance(options.BatchSize) / Math.Pow(options.BatchSize, 2)) + (loss.Lipschitz * loss.Lipschitz / options.BatchSize);

    private void Project(double[] point)
    {
        var norm = Math.Sqrt(VectorMath.Dot<double>(point, point));
        if (norm > options.Radius)
        {
            VectorMath.Scale<double>(point, options.Radius / norm);
        }
    }

    private static void Mix(double[] a, double[] b, double weight, double[] result)
    {
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = ((1 - weight) * a[i]) + (weight * b[i]);
        }
    }
}
