using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Protocol;
using Federated.Training.Models;

namespace Federated.Simulation.Engine;

/// <summary>
/// The computing behind a timeline: what a simulated client trains and what the server makes of it. The timeline never depends on how
/// long that takes, nor on where and when it runs; a workload may work ahead on other threads. A task is known by its slot from
/// <see cref="Begin"/> until <see cref="Discard"/>.
/// </summary>
public interface IWorkload : IDisposable
{
    /// <summary>False when there is no model: requests for evaluation are then not answered.</summary>
    bool CanEvaluate { get; }

    /// <summary>Bytes of one model on its way down, and of one update on its way up; at most, where a codec's messages differ in size. The timeline counts with these.</summary>
    (long Down, long Up) Bytes { get; }

    /// <summary>n_i.</summary>
    double Examples(int client);

    /// <summary>Local steps that the work is for this client's data; not called when the work is the client's choice.</summary>
    int StepsFor(int client, LocalWork work);

    /// <summary>A client starts from the current version; its update will be asked for at virtual time <paramref name="due"/>.</summary>
    void Begin(int slot, Assignment assignment, int steps, double due);

    /// <summary>The update is due: waits for it.</summary>
    TaskResult Complete(int slot);

    /// <summary>The server accepted a completed update: the client may remember what it had pending.</summary>
    void Accept(int slot);

    /// <summary>A completed update will be in no version: it came too late, or was accepted and never folded in.</summary>
    void Reject(int slot)
    {
    }

    /// <summary>ε spent so far by the client that spent most; NaN in a run without privacy.</summary>
    double Epsilon => double.NaN;

    /// <summary>ℓ2 norm of a completed update, measured when it was folded in; NaN when nobody measures.</summary>
    double NormOf(int slot) => double.NaN;

    /// <summary>What the version published last looked like, where somebody measures.</summary>
    AggregateMeasures LastMeasures => AggregateMeasures.None;

    /// <summary>Folds a completed update in.</summary>
    void Accumulate(int slot, Accumulate effect);

    /// <summary>The task is over, completed or not, and its slot free again.</summary>
    void Discard(int slot);

    /// <summary>Makes what was folded in the next version.</summary>
    /// <returns>Sum of the weights after normalisation; NaN without a model.</returns>
    double Publish(Publish effect);

    /// <summary>Evaluates the current version on the pooled test set.</summary>
    Evaluation Evaluate();
}

/// <summary>What the numbers of an update say; the times are the timeline's.</summary>
/// <param name="TrainingLoss">Mean over the local steps; NaN when not known.</param>
/// <param name="StepWeight">‖a_i‖₁ of FedNova.</param>
/// <param name="BytesUp">Bytes that the update took on its way up.</param>
public readonly record struct TaskResult(bool IsFinite, double TrainingLoss, double StepWeight, long BytesUp);
