using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>
/// Nesterov momentum for asynchronous runs: each arrival makes a plain step of 1/N its size, and only every N-th refreshes the momentum,
/// with the mean of the window.
/// </summary>
/// <remarks>
/// Liu et al., "Asynchronous Local-SGD Training for Language Modeling", 2024, Algorithm 3 (DN), https://arxiv.org/abs/2401.09135.
/// Notation: d the pseudo-gradient in add-form (the paper's −g), m momentum, D the window's sum, ε rate, β momentum share, N window,
/// c activation. D ← D + d. Inside a window w ← w + ε·(c·β·m + d/N); at its end m ← β·m + D/N, w ← w + ε·((1 − c·N + c)·β·m + d/N), D ← 0.
/// c only moves the momentum's share around within the window. Deviation: none.
/// Cost: O(d) per version, 2d + 1 values of state.
/// </remarks>
public sealed class DelayedNesterov<T> : IServerOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly double rate;
    private readonly double beta;
    private readonly double activation;
    private readonly int window;
    private readonly T[] momentum;
    private readonly T[] sum;
    private readonly T[] steps = new T[1];

    /// <param name="options">Settings.</param>
    /// <param name="dimension">d, the number of parameters.</param>
    public DelayedNesterov(DelayedNesterovOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptimizerState.RequireRate(Name, options.LearningRate);
        OptimizerState.RequireShare(Name, "a momentum", options.Momentum);
        OptimizerState.Require(options.Window >= 1, Name, "a window", options.Window, "of 1 step or more");
        OptimizerState.Require(options.Activation >= 0 && options.Activation * options.Window <= 1, Name, "an activation", options.Activation, "in [0, 1/window]");
        (rate, beta, activation, window) = (options.LearningRate, options.Momentum, options.Activation, options.Window);
        momentum = OptimizerState.Filled<T>(dimension, 0);
        sum = OptimizerState.Filled<T>(dimension, 0);
        State = OptimizerState.Of((OptimizerState.Momentum, momentum), (OptimizerState.Window, sum), (OptimizerState.Steps, steps));
    }

    public string Name => ServerOptimizers.DelayedNesterov;

    /// <inheritdoc/>
    /// <remarks><c>steps</c>, one long, counts the steps of the open window.</remarks>
    public IReadOnlyDictionary<string, Memory<T>> State { get; }

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient)
    {
        var isLast = int.CreateTruncating(steps[0]) + 1 >= window;
        var carried = isLast ? 1 - (activation * window) + activation : activation;
        var share = Wide(1.0 / window);
        if (isLast)
        {
            Elementwise.Run(new Closing(Wide(rate), Wide(beta), Wide(carried * beta), share), model, pseudoGradient, momentum, sum);
            steps[0] = T.Zero;
        }
        else
        {
            Elementwise.Run(new Inside(Wide(rate), Wide(carried * beta), share), model, pseudoGradient, momentum, sum);
            steps[0] += T.One;
        }
    }

    private static Vector<T> Wide(double value) => new(T.CreateTruncating(value));

    private readonly struct Inside(Vector<T> rate, Vector<T> carried, Vector<T> share) : IRule<T>
    {
        public void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second)
        {
            second += gradient;
            model += rate * ((carried * first) + (share * gradient));
        }
    }

    private readonly struct Closing(Vector<T> rate, Vector<T> beta, Vector<T> carried, Vector<T> share) : IRule<T>
    {
        public void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second)
        {
            first = (beta * first) + (share * (second + gradient));
            second = Vector<T>.Zero;
            model += rate * ((carried * first) + (share * gradient));
        }
    }
}
