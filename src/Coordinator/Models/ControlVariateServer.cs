using System.Numerics;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.ControlVariates;
using Federated.Aggregation.ServerOptimizers;

namespace Federated.Coordinator.Models;

/// <summary>SCAFFOLD at the server: sends c down, averages the changes c_i⁺ − c_i that come up, and steps the model as usual.</summary>
/// <remarks>Karimireddy et al., ICML 2020, Algorithm 1, lines 16–17; see <see cref="ServerControl{T}"/>. Cost: O(d) per update.</remarks>
/// <param name="down">Name of c in the exchange.</param>
/// <param name="up">Name of c_i⁺ − c_i.</param>
/// <param name="parameters">d.</param>
/// <param name="clients">N.</param>
public sealed class ControlVariateServer<T>(string down, string up, int parameters, int clients) : IObjectiveServer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ServerControl<T> control = new(parameters, clients);
    private readonly WeightedMean<T> changes = new(parameters, new WeightedMeanOptions { Normalisation = Normalisation.Count });
    private readonly T[] meanChange = new T[parameters];

    public IReadOnlyList<string> Down { get; } = [down];

    public IReadOnlyList<string> Up { get; } = [up];

    public IReadOnlyDictionary<string, Memory<T>> State => new Dictionary<string, Memory<T>> { [down] = control.Value };

    public bool HasOwnDeployment => false;

    public void Accumulate(IReadOnlyDictionary<string, ReadOnlyMemory<T>> extras)
    {
        ArgumentNullException.ThrowIfNull(extras);
        changes.Add(new Aggregation.Contribution<T>(0, extras[up].Span, 1));
    }

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient, int count, IServerOptimizer<T> optimizer, Span<T> deployed)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        optimizer.Step(model, pseudoGradient);
        changes.Combine(meanChange);
        control.Apply(meanChange, count);
    }

    public ReadOnlyMemory<T> Value(string name) => control.Value;
}
