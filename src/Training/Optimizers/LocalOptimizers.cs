using System.Numerics;

namespace Federated.Training.Optimizers;

/// <summary>Names of the optimizers that clients run.</summary>
public static class LocalOptimizers
{
    /// <summary>SGD, with momentum where asked: choose it unless there is a reason not to; every local objective supports it.</summary>
    public const string Sgd = "sgd";

    /// <summary>Adam or AdamW, with a fresh state per assignment: choose it where SGD's rate cannot be tuned.</summary>
    public const string Adam = "adam";

    /// <summary>Makes the optimizer that <paramref name="options"/> describe, for <paramref name="parameters"/> parameters.</summary>
    public static ILocalOptimizer<T> Create<T>(LocalOptimizerOptions options, int parameters)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => options switch
        {
            SgdOptions o => new Sgd<T>(o, parameters),
            AdamOptions o => new Adam<T>(o, parameters),
            _ => throw new TrainingException($"No local optimizer for {options?.GetType().Name ?? "null"}."),
        };
}
