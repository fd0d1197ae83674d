using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>Turns a pseudo-gradient into the next model version, in place.</summary>
public interface IServerOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    string Name { get; }

    /// <summary>Applies one step.</summary>
    /// <param name="model">d parameters, updated in place.</param>
    /// <param name="pseudoGradient">d coordinates, add-form (Σ p_i u_i).</param>
    void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient);

    /// <summary>State beyond the model, by name (for example <c>momentum</c>), each d long unless said: what a checkpoint must hold.</summary>
    IReadOnlyDictionary<string, Memory<T>> State { get; }
}
