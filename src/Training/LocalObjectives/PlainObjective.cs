using System.Numerics;
using Federated.Training.Models;

namespace Federated.Training.LocalObjectives;

/// <summary>The client's own loss and nothing else: FedAvg and everything that differs from it only at the server.</summary>
public sealed class PlainObjective<T> : ILocalObjective<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public string Name => LocalObjectiveKinds.None;

    public IReadOnlyList<string> ServerTensors { get; } = [];

    public IReadOnlyList<string> ClientState { get; } = [];

    public IReadOnlyList<string> ClientTensors { get; } = [];

    public bool NeedsPlainSgd => false;

    public bool HasOwnGradient => false;

    public LocalTerm Begin(in LocalRun<T> run, Span<T> linear) => LocalTerm.None;

    public double Gradient(IModel<T> model, ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient) =>
        model.Gradient(parameters, in batch, gradient);

    public void End(in LocalRun<T> run, in LocalOutcome<T> outcome)
    {
    }
}
