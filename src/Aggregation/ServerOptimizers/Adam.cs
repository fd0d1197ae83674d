using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>FedAdam: m ← β₁·m + (1 − β₁)·d; v ← β₂·v + (1 − β₂)·d²; w ← w + η_g·m / (√v + τ), per coordinate.</summary>
/// <remarks>
/// Reddi et al., "Adaptive Federated Optimization", ICLR 2021, Algorithm 2, https://arxiv.org/abs/2003.00295. Deviation: none with default
/// options, hence no bias correction; Keras' (bias-corrected moments, other v₀) are options.
/// Cost: O(d) per version, 2d + 1 values of state. Bound: |step| ≤ η_g·|m|/τ per coordinate.
/// </remarks>
public sealed class Adam<T> : IServerOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AdamOptions options;
    private readonly T[] momentum;
    private readonly T[] secondMoment;
    private readonly T[] steps = new T[1];

    /// <param name="options">Settings.</param>
    /// <param name="dimension">d, the number of parameters.</param>
    public Adam(AdamOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        (momentum, secondMoment) = AdaptiveState.Start<T>(Name, options, dimension);
        OptimizerState.RequireShare(Name, "beta1", options.Beta1);
        OptimizerState.RequireShare(Name, "beta2", options.Beta2);
        this.options = options;
        State = OptimizerState.Of((OptimizerState.Momentum, momentum), (OptimizerState.SecondMoment, secondMoment), (OptimizerState.Steps, steps));
    }

    public string Name => ServerOptimizers.Adam;

    /// <inheritdoc/>
    /// <remarks><c>steps</c>, one long, is t.</remarks>
    public IReadOnlyDictionary<string, Memory<T>> State { get; }

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient)
    {
        steps[0] += T.One;
        var rule = new Rule(
            AdaptiveState.Wide<T>(options.LearningRate / AdaptiveState.Correction(options.BiasCorrection, options.Beta1, steps[0])),
            AdaptiveState.Wide<T>(options.Epsilon),
            AdaptiveState.Wide<T>(options.Beta1),
            AdaptiveState.Wide<T>(1 - options.Beta1),
            AdaptiveState.Wide<T>(options.Beta2),
            AdaptiveState.Wide<T>(1 - options.Beta2),
            AdaptiveState.Wide<T>(1 / Math.Sqrt(AdaptiveState.Correction(options.BiasCorrection, options.Beta2, steps[0]))));
        Elementwise.Run(rule, model, pseudoGradient, momentum, secondMoment);
    }

    private readonly struct Rule(
        Vector<T> rate, Vector<T> epsilon, Vector<T> keep1, Vector<T> take1, Vector<T> keep2, Vector<T> take2, Vector<T> rootScale) : IRule<T>
    {
        public void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second)
        {
            first = (keep1 * first) + (take1 * gradient);
            second = (keep2 * second) + (take2 * gradient * gradient);
            model += rate * first / ((rootScale * Vector.SquareRoot(second)) + epsilon);
        }
    }
}
