using System.Numerics;
using Federated.Aggregation.ServerOptimizers;

namespace Federated.Coordinator.Models;

/// <summary>The server's part of a local objective that has one: what goes down beside the model, what comes up beside the deltas, and how the next version is made of both.</summary>
/// <remarks>One thread; called by <see cref="ModelState{T}"/> in the order of the machine's effects.</remarks>
public interface IObjectiveServer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Names of the vectors (d values each) that go down with every assignment.</summary>
    IReadOnlyList<string> Down { get; }

    /// <summary>Names of the vectors (d values each) that must come up with every update.</summary>
    IReadOnlyList<string> Up { get; }

    /// <summary>What a checkpoint must hold, by name, d values each.</summary>
    IReadOnlyDictionary<string, Memory<T>> State { get; }

    /// <summary>Whether the model to evaluate and ship is another than the one that clients train from.</summary>
    bool HasOwnDeployment { get; }

    /// <summary>Folds in what came up with an accepted update.</summary>
    void Accumulate(IReadOnlyDictionary<string, ReadOnlyMemory<T>> extras);

    /// <summary>Makes the next version in place.</summary>
    /// <param name="model">w (d values).</param>
    /// <param name="pseudoGradient">The aggregator's result (d values, add-form).</param>
    /// <param name="count">Updates in the aggregate.</param>
    /// <param name="deployed">Receives the model to evaluate, where <see cref="HasOwnDeployment"/>.</param>
    void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient, int count, IServerOptimizer<T> optimizer, Span<T> deployed);

    /// <summary>The present value of a vector that goes down.</summary>
    ReadOnlyMemory<T> Value(string name);
}
