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
    private readonly Moments<T> moments;

    /// <param name="options">Settings.</param>
    /// <param name="dimension">d, the number of parameters.</param>
    public Adam(AdamOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        moments = new Moments<T>(Name, options, options.Beta1, options.Beta2, options.BiasCorrection, dimension);
    }

    public string Name => ServerOptimizers.Adam;

    /// <inheritdoc/>
    /// <remarks><c>steps</c>, one long, is t.</remarks>
    public IReadOnlyDictionary<string, Memory<T>> State => moments.State;

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient) =>
        Elementwise.Run(new Rule(moments.Next()), model, pseudoGradient, moments.First, moments.Second);

    private readonly struct Rule(MomentFactors<T> factors) : IRule<T>
    {
        public void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second)
        {
            first = (factors.Keep1 * first) + (factors.Take1 * gradient);
            second = (factors.Keep2 * second) + (factors.Take2 * gradient * gradient);
            model += factors.Step(first, second);
        }
    }
}
