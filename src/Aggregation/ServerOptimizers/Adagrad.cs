using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>FedAdagrad: m ← β₁·m + (1 − β₁)·d; v ← v + d²; w ← w + η_g·m / (√v + τ), per coordinate.</summary>
/// <remarks>
/// Reddi et al., "Adaptive Federated Optimization", ICLR 2021, Algorithm 2, https://arxiv.org/abs/2003.00295. Deviation: none with default
/// options; the ones of TensorFlow Federated (√(v + τ), other v₀) are options.
/// Cost: O(d) per version, 2d values of state. Bound: |step| ≤ η_g·|m|/τ per coordinate.
/// </remarks>
public sealed class Adagrad<T> : IServerOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector<T> rate;
    private readonly Vector<T> epsilon;
    private readonly Vector<T> keep;
    private readonly Vector<T> take;
    private readonly bool isInsideRoot;
    private readonly T[] momentum;
    private readonly T[] accumulator;

    /// <param name="options">Settings.</param>
    /// <param name="dimension">d, the number of parameters.</param>
    public Adagrad(AdagradOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        (momentum, accumulator) = AdaptiveState.Start<T>(Name, options, dimension);
        OptimizerState.RequireShare(Name, "beta1", options.Beta1);
        (rate, epsilon) = (AdaptiveState.Wide<T>(options.LearningRate), AdaptiveState.Wide<T>(options.Epsilon));
        (keep, take) = (AdaptiveState.Wide<T>(options.Beta1), AdaptiveState.Wide<T>(1 - options.Beta1));
        isInsideRoot = options.EpsilonInsideRoot;
        State = OptimizerState.Of((OptimizerState.Momentum, momentum), (OptimizerState.SecondMoment, accumulator));
    }

    public string Name => ServerOptimizers.Adagrad;

    public IReadOnlyDictionary<string, Memory<T>> State { get; }

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient) =>
        Elementwise.Run(new Rule(rate, epsilon, keep, take, isInsideRoot), model, pseudoGradient, momentum, accumulator);

    private readonly struct Rule(Vector<T> rate, Vector<T> epsilon, Vector<T> keep, Vector<T> take, bool isInsideRoot) : IRule<T>
    {
        public void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second)
        {
            first = (keep * first) + (take * gradient);
            second += gradient * gradient;
            var root = isInsideRoot ? Vector.SquareRoot(second + epsilon) : Vector.SquareRoot(second) + epsilon;
            model += rate * first / root;
        }
    }
}
