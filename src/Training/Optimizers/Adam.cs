using System.Numerics;

namespace Federated.Training.Optimizers;

/// <summary>Adam with bias correction, and AdamW.</summary>
/// <remarks>
/// Kingma, Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, https://arxiv.org/abs/1412.6980, Algorithm 1; Loshchilov, Hutter,
/// "Decoupled Weight Decay Regularization", ICLR 2019, https://arxiv.org/abs/1711.05101, Algorithm 2 without a schedule of its own.
/// Notation: t step from 1, m and v moments, λ weight decay. m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²;
/// w ← w − η·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε). L2 adds λ·w to g; decoupled decay takes η·λ·w from w first (PyTorch's AdamW).
/// FedNova's step weight is defined for SGD; here a step counts as 1. Cost: one pass over d values, 2·d of state.
/// </remarks>
public sealed class Adam<T> : ILocalOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AdamOptions options;
    private readonly T[] first;
    private readonly T[] second;
    private int steps;

    public Adam(AdamOptions options, int parameters)
    {
        ArgumentNullException.ThrowIfNull(options);
        (this.options, first, second) = (options, new T[parameters], new T[parameters]);
    }

    public string Name => LocalOptimizers.Adam;

    public double Momentum => 0;

    public void Reset()
    {
        steps = 0;
        Array.Clear(first);
        Array.Clear(second);
    }

    public void Step(Span<T> parameters, Span<T> gradient, double rate)
    {
        steps++;
        var coupled = T.CreateTruncating(options.DecoupledWeightDecay ? 0 : options.WeightDecay);
        var keep = T.CreateTruncating(options.DecoupledWeightDecay ? 1 - (rate * options.WeightDecay) : 1);
        var beta1 = T.CreateTruncating(options.Beta1);
        var beta2 = T.CreateTruncating(options.Beta2);
        var new1 = T.CreateTruncating(1 - options.Beta1);
        var new2 = T.CreateTruncating(1 - options.Beta2);
        var step = T.CreateTruncating(rate / (1 - Math.Pow(options.Beta1, steps)));
        var root = T.CreateTruncating(1 / Math.Sqrt(1 - Math.Pow(options.Beta2, steps)));
        var epsilon = T.CreateTruncating(options.Epsilon);
        Span<T> m = first, v = second;
        var i = 0;
        for (; i <= parameters.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            var w = new Vector<T>(parameters[i..]);
            var g = new Vector<T>(gradient[i..]) + (w * coupled);
            var m1 = (new Vector<T>(m[i..]) * beta1) + (g * new1);
            var v1 = (new Vector<T>(v[i..]) * beta2) + (g * g * new2);
            m1.CopyTo(m[i..]);
            v1.CopyTo(v[i..]);
            ((w * keep) - (m1 * step / ((Vector.SquareRoot(v1) * root) + new Vector<T>(epsilon)))).CopyTo(parameters[i..]);
        }

        for (; i < parameters.Length; i++)
        {
            var g = gradient[i] + (coupled * parameters[i]);
            m[i] = (m[i] * beta1) + (g * new1);
            v[i] = (v[i] * beta2) + (g * g * new2);
            parameters[i] = (parameters[i] * keep) - (m[i] * step / ((T.Sqrt(v[i]) * root) + epsilon));
        }
    }
}
