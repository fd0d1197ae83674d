using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>What the adaptive optimizers do alike when they start.</summary>
internal static class AdaptiveState
{
    public static (T[] Momentum, T[] SecondMoment) Start<T>(string name, AdaptiveOptions options, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        OptimizerState.RequireRate(name, options.LearningRate);
        OptimizerState.Require(options.Epsilon > 0 && double.IsFinite(options.Epsilon), name, "an epsilon", options.Epsilon, "above 0");
        var initial = options.InitialAccumulator ?? (options.Epsilon * options.Epsilon);
        OptimizerState.Require(initial >= 0 && double.IsFinite(initial), name, "an initial accumulator", initial, "of 0 or more");
        return (OptimizerState.Filled<T>(dimension, 0), OptimizerState.Filled<T>(dimension, initial));
    }

    public static Vector<T> Wide<T>(double value)
        where T : unmanaged, INumberBase<T> => new(T.CreateTruncating(value));

    /// <summary>1 − β^t, or 1 where bias is not corrected.</summary>
    public static double Correction<T>(bool isCorrected, double beta, T step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        isCorrected ? 1 - Math.Pow(beta, double.CreateTruncating(step)) : 1;
}
