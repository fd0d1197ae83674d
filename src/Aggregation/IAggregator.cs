using System.Collections.Immutable;
using System.Numerics;

namespace Federated.Aggregation;

/// <summary>
/// Combines accepted updates into one pseudo-gradient (add-form: the server optimizer adds it). The result does not depend, to the
/// bit, on the order in which contributions were added nor on the number of threads.
/// </summary>
/// <remarks>Not thread-safe: one owner adds and combines. T is float in production, double where exactness is tested.</remarks>
public interface IAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    string Name { get; }

    /// <summary>True when memory is O(d) whatever the number of contributions; false when every update is held until combined.</summary>
    bool IsStreaming { get; }

    /// <summary>Contributions since the last <see cref="Combine"/>.</summary>
    int Count { get; }

    /// <summary>What is carried from one combination to the next, by name, each d long: what a checkpoint must hold. Empty for means.</summary>
    IReadOnlyDictionary<string, Memory<T>> State => ImmutableDictionary<string, Memory<T>>.Empty;

    /// <summary>Takes one contribution; the delta is read or copied before this returns.</summary>
    void Add(in Contribution<T> contribution);

    /// <summary>Writes the combined pseudo-gradient (d coordinates; overwritten) and starts afresh.</summary>
    /// <returns>What was done, for the record: the sum of weights used, and what was left out and why.</returns>
    CombineReport Combine(Span<T> pseudoGradient);
}

/// <summary>What a combination did.</summary>
/// <param name="Count">Contributions combined.</param>
/// <param name="WeightSum">Sum of the weights that multiplied the updates, after normalisation (1 for FedAvg).</param>
public readonly record struct CombineReport(int Count, double WeightSum)
{
    /// <summary>Clients whose updates a robust rule left out, with the reason; empty for means.</summary>
    public IReadOnlyList<(int Client, string Reason)> LeftOut { get; init; } = [];
}
