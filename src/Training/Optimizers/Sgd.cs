using System.Numerics;

namespace Federated.Training.Optimizers;

/// <summary>SGD with momentum and weight decay as PyTorch's torch.optim.SGD without dampening.</summary>
/// <remarks>
/// Notation: w parameters, g gradient, λ weight decay, ρ momentum, η rate. g ← g + λ·w; m ← ρ·m + g (m = g on the first step);
/// w ← w − η·m, or with Nesterov w ← w − η·(g + ρ·m). Sutskever, Martens, Dahl, Hinton, ICML 2013, in PyTorch's form (η outside the buffer).
/// Cost: one pass over d values; d values of state with momentum, none without.
/// </remarks>
public sealed class Sgd<T> : ILocalOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly SgdOptions options;
    private readonly T[] buffer;

    public Sgd(SgdOptions options, int parameters)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Nesterov && options.Momentum == 0)
        {
            throw new TrainingException("Nesterov's form needs a momentum; momentum is 0. Set momentum above 0 or nesterov to false.");
        }

        this.options = options;
        buffer = options.Momentum > 0 ? new T[parameters] : [];
    }

    public string Name => LocalOptimizers.Sgd;

    public double Momentum => options.Momentum;

    public void Reset() => Array.Clear(buffer);

    public void Step(Span<T> parameters, Span<T> gradient, double rate)
    {
        var decay = T.CreateTruncating(options.WeightDecay);
        var step = T.CreateTruncating(rate);
        var momentum = T.CreateTruncating(options.Momentum);
        var i = 0;
        if (buffer.Length == 0)
        {
            for (; i <= parameters.Length - Vector<T>.Count; i += Vector<T>.Count)
            {
                var w = new Vector<T>(parameters[i..]);
                (w - ((new Vector<T>(gradient[i..]) + (w * decay)) * step)).CopyTo(parameters[i..]);
            }

            for (; i < parameters.Length; i++)
            {
                parameters[i] -= (gradient[i] + (decay * parameters[i])) * step;
            }

            return;
        }

        var state = buffer.AsSpan();
        var own = options.Nesterov ? T.One : T.Zero;
        var past = options.Nesterov ? momentum : T.One;
        for (; i <= parameters.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            var w = new Vector<T>(parameters[i..]);
            var g = new Vector<T>(gradient[i..]) + (w * decay);
            var m = (new Vector<T>(state[i..]) * momentum) + g;
            m.CopyTo(state[i..]);
            (w - (((g * own) + (m * past)) * step)).CopyTo(parameters[i..]);
        }

        for (; i < parameters.Length; i++)
        {
            var g = gradient[i] + (decay * parameters[i]);
            state[i] = (momentum * state[i]) + g;
            parameters[i] -= ((own * g) + (past * state[i])) * step;
        }
    }
}
