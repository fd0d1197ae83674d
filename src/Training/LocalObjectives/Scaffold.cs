using System.Numerics;
using System.Numerics.Tensors;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Training.LocalObjectives;

/// <summary>SCAFFOLD: control variates c (server) and c_i (client) correct each client's drift.</summary>
/// <remarks>
/// Karimireddy, Kale, Mohri, Reddi, Stich, Suresh, "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning", ICML 2020,
/// https://arxiv.org/abs/1910.06378, Algorithm 1. Step: y ← y − η·(g(y) − c_i + c). Option I: c_i⁺ = ∇F_i(w);
/// option II: c_i⁺ = c_i − c + (w − y)/Σ_k η_k. Up: c_i⁺ − c_i. The server adds 1/N of their sum to c (see Aggregation.ControlVariates).
/// Deviation: option II divides by the sum of the steps' rates, which is the paper's K·η for a constant rate.
/// Momentum or Adam would make (w − y)/Σ η something else than a mean gradient: refused. Weight decay and clipping count as part of the gradient.
/// Invariant: when all start at zero and pending states are committed exactly when the server accepts, c = (1/N)·Σ_i c_i.
/// Cost: d values down, up and remembered; option I one more pass over the client's data.
/// </remarks>
public sealed class Scaffold<T>(ScaffoldOptions options) : ILocalObjective<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>c.</summary>
    public const string ServerControl = "scaffold.server_control";

    /// <summary>c_i.</summary>
    public const string ClientControl = "scaffold.client_control";

    /// <summary>c_i⁺ − c_i.</summary>
    public const string ControlDelta = "scaffold.control_delta";

    private readonly FullGradient<T> full = new();

    public string Name => LocalObjectiveKinds.Scaffold;

    public IReadOnlyList<string> ServerTensors { get; } = [ServerControl];

    public IReadOnlyList<string> ClientState { get; } = [ClientControl];

    public IReadOnlyList<string> ClientTensors { get; } = [ControlDelta];

    public bool NeedsPlainSgd => true;

    public bool HasOwnGradient => false;

    public LocalTerm Begin(in LocalRun<T> run, Span<T> linear)
    {
        var server = run.Exchange.Received(ServerControl, linear.Length);
        var own = run.Exchange.Remembered(ClientControl, linear.Length);
        if (own.IsEmpty)
        {
            server.CopyTo(linear);
        }
        else
        {
            TensorPrimitives.Subtract(server, own, linear);
        }

        return new LocalTerm(HasLinear: true, 0);
    }

    public double Gradient(IModel<T> model, ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient) =>
        model.Gradient(parameters, in batch, gradient);

    public void End(in LocalRun<T> run, in LocalOutcome<T> outcome)
    {
        var d = outcome.Delta.Length;
        var own = run.Exchange.Remembered(ClientControl, d);
        var next = run.Exchange.Pending(ClientControl, d);
        if (options.Control == ScaffoldControl.FullGradient)
        {
            full.Compute(run.Model, run.Data, run.Examples, run.Start, next);
        }
        else
        {
            TensorPrimitives.Multiply(outcome.Delta, T.CreateTruncating(-1.0 / outcome.RateSum), next);
            TensorPrimitives.Subtract(next, run.Exchange.Received(ServerControl, d), next);
            if (!own.IsEmpty)
            {
                TensorPrimitives.Add(next, own, next);
            }
        }

        var up = run.Exchange.Up(ControlDelta, d);
        next.CopyTo(up);
        if (!own.IsEmpty)
        {
            TensorPrimitives.Subtract(next, own, up);
        }
    }
}
