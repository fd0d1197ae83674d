using System.Collections.Immutable;
using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>m, v and t of Adam and Yogi, which differ in how v follows only.</summary>
internal sealed class Moments<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AdaptiveOptions options;
    private readonly double beta1;
    private readonly double beta2;
    private readonly bool isCorrected;
    private readonly T[] steps = new T[1];

    public Moments(string name, AdaptiveOptions options, double beta1, double beta2, bool isCorrected, int dimension)
    {
        (First, Second) = AdaptiveState.Start<T>(name, options, dimension);
        OptimizerState.RequireShare(name, "beta1", beta1);
        OptimizerState.RequireShare(name, "beta2", beta2);
        (this.options, this.beta1, this.beta2, this.isCorrected) = (options, beta1, beta2, isCorrected);
        State = OptimizerState.Of((OptimizerState.Momentum, First), (OptimizerState.SecondMoment, Second), (OptimizerState.Steps, steps));
    }

    /// <summary>m.</summary>
    public T[] First { get; }

    /// <summary>v.</summary>
    public T[] Second { get; }

    public ImmutableSortedDictionary<string, Memory<T>> State { get; }

    /// <summary>Counts a step, and gives what it multiplies with.</summary>
    public MomentFactors<T> Next()
    {
        steps[0] += T.One;
        return new MomentFactors<T>(
            AdaptiveState.Wide<T>(options.LearningRate / AdaptiveState.Correction(isCorrected, beta1, steps[0])),
            AdaptiveState.Wide<T>(options.Epsilon),
            AdaptiveState.Wide<T>(beta1),
            AdaptiveState.Wide<T>(1 - beta1),
            AdaptiveState.Wide<T>(beta2),
            AdaptiveState.Wide<T>(1 - beta2),
            AdaptiveState.Wide<T>(1 / Math.Sqrt(AdaptiveState.Correction(isCorrected, beta2, steps[0]))));
    }
}

/// <summary>The factors of one step, in every lane.</summary>
/// <param name="Rate">η_g, divided by 1 − β₁^t where bias is corrected.</param>
/// <param name="Epsilon">τ.</param>
/// <param name="Keep1">β₁.</param>
/// <param name="Take1">1 − β₁.</param>
/// <param name="Keep2">β₂.</param>
/// <param name="Take2">1 − β₂.</param>
/// <param name="RootScale">1, or (1 − β₂^t)^−½ where bias is corrected.</param>
internal readonly record struct MomentFactors<T>(
    Vector<T> Rate, Vector<T> Epsilon, Vector<T> Keep1, Vector<T> Take1, Vector<T> Keep2, Vector<T> Take2, Vector<T> RootScale)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>η_g·m / (√v + τ).</summary>
    public Vector<T> Step(Vector<T> first, Vector<T> second) => Rate * first / ((RootScale * Vector.SquareRoot(second)) + Epsilon);
}
