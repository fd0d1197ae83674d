using System.Numerics;
using Federated.Aggregation.ControlVariates;
using Federated.Aggregation.ServerOptimizers;

namespace Federated.Coordinator.Models;

/// <summary>FedDyn and FedSpeed at the server: adds the mean of all clients' drifts to the mean of the models; nothing extra travels.</summary>
/// <remarks>
/// Acar et al., ICLR 2021, Algorithm 1; see <see cref="ServerDrift{T}"/>. The rule has no server optimizer of its own: the strategy must
/// be plain SGD with learning rate 1 and an unweighted mean. What is evaluated and shipped is the mean of the models, as the authors do.
/// </remarks>
/// <param name="parameters">d.</param>
/// <param name="clients">N.</param>
public sealed class DriftServer<T>(int parameters, int clients) : IObjectiveServer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const string DriftName = "server_drift";

    private readonly ServerDrift<T> drift = new(parameters, clients);

    public IReadOnlyList<string> Down => [];

    public IReadOnlyList<string> Up => [];

    public IReadOnlyDictionary<string, Memory<T>> State => new Dictionary<string, Memory<T>> { [DriftName] = drift.Value };

    public bool HasOwnDeployment => true;

    public void Accumulate(IReadOnlyDictionary<string, ReadOnlyMemory<T>> extras)
    {
        // The deltas alone tell the drifts.
    }

    public void Step(Span<T> model, ReadOnlySpan<T> pseudoGradient, int count, IServerOptimizer<T> optimizer, Span<T> deployed) =>
        drift.Step(model, pseudoGradient, count, deployed);

    public ReadOnlyMemory<T> Value(string name) => throw new ArgumentException($"Nothing called '{name}' goes down.", nameof(name));
}
