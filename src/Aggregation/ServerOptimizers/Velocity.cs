using System.Collections.Immutable;
using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>m of Momentum and Nesterov, with η_g and β in every lane.</summary>
internal sealed class Velocity<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public Velocity(string name, double rate, double momentum, int dimension)
    {
        OptimizerState.RequireRate(name, rate);
        OptimizerState.RequireShare(name, "a momentum", momentum);
        (Rate, Beta) = (AdaptiveState.Wide<T>(rate), AdaptiveState.Wide<T>(momentum));
        Values = OptimizerState.Filled<T>(dimension, 0);
        State = OptimizerState.Of((OptimizerState.Momentum, Values));
    }

    public Vector<T> Rate { get; }

    public Vector<T> Beta { get; }

    public T[] Values { get; }

    public ImmutableSortedDictionary<string, Memory<T>> State { get; }
}
