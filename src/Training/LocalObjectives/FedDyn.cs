using System.Numerics;
using Federated.Training.Models;

namespace Federated.Training.LocalObjectives;

/// <summary>FedDyn: a dynamic regulariser that makes the clients' stationary points agree with the global one.</summary>
/// <remarks>
/// Acar, Zhao, Matas Navarro, Mattina, Whatmough, Saligrama, "Federated Learning Based on Dynamic Regularization", ICLR 2021,
/// https://arxiv.org/abs/2111.04263, Algorithm 1, with the sign convention of the authors' code (λ_i = −α·h_i):
/// objective F_i(y) + α·⟨y, h_i⟩ + (α/2)·‖y − w‖²; step y ← y − η·(g(y) + α·(y − w + h_i)); afterwards h_i ← h_i + (y − w).
/// The server adds the mean of all h_i to the mean of the models (see Aggregation.ControlVariates), from the deltas alone: nothing extra goes up or down.
/// Deviation: α is the same for all clients; their code also divides it by the client's share of the data.
/// Danger: h grows without bound when η is too large; ‖h‖ is worth watching. Cost: d values remembered.
/// </remarks>
public sealed class FedDyn<T>(FedDynOptions options) : ILocalObjective<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>h_i.</summary>
    public const string ClientDrift = "feddyn.client_drift";

    public string Name => LocalObjectiveKinds.FedDyn;

    public IReadOnlyList<string> ServerTensors { get; } = [];

    public IReadOnlyList<string> ClientState { get; } = [ClientDrift];

    public IReadOnlyList<string> ClientTensors { get; } = [];

    public bool NeedsPlainSgd => false;

    public bool HasOwnGradient => false;

    public LocalTerm Begin(in LocalRun<T> run, Span<T> linear) => Drift.Begin(in run, ClientDrift, options.Alpha, linear);

    public double Gradient(IModel<T> model, ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient) =>
        model.Gradient(parameters, in batch, gradient);

    public void End(in LocalRun<T> run, in LocalOutcome<T> outcome) => Drift.End(in run, ClientDrift, in outcome);
}
