using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <content>What a host may ask between two events; nothing here changes the state.</content>
public sealed partial class RunMachine
{
    /// <summary>Clients that checked in and wait for work.</summary>
    public int WaitingCount => available.Count;

    /// <summary>The version whose evaluation was last asked for; −1 before any.</summary>
    public int LastEvaluationRequested => lastEvaluationRequested;

    /// <summary>Accuracy of <see cref="BestVersion"/>; −∞ before any.</summary>
    public double BestAccuracy => bestAccuracy;

    /// <summary>The assignment that a client holds; null for none.</summary>
    public Assignment? InFlightOf(ClientId client) =>
        IsKnown(client) && clients[client.Value].InFlight is var id && id != ClientRecord.None ? inFlight[id] : null;

    /// <summary>The assignment of that id, while it is out at a client; else null.</summary>
    public Assignment? Find(AssignmentId assignment) => inFlight.GetValueOrDefault(assignment.Value);

    /// <summary>Whether the assignment was given out by this run, now or before.</summary>
    public bool WasDispatched(AssignmentId assignment) => assignment.Value >= 0 && assignment.Value < nextAssignment;

    /// <summary>Whether a client checked in and has got nothing yet, be it that it waits its turn or that something holds it back.</summary>
    public bool IsWaiting(ClientId client) => IsKnown(client) && (available.Contains(client) || clients[client.Value].HeldBack);

    /// <summary>Why a client without an assignment waits.</summary>
    public WaitReason WaitReasonOf(ClientId client) =>
        available.Contains(client) && finishPending is null ? scheduler.DescribeWait(this, client) : WaitOf(client);

    /// <summary>Whether a deadline still means something: hosts forget the others.</summary>
    public bool Matters(Deadline deadline) => Status != RunStatus.Finished && deadline.Kind switch
    {
        DeadlineKind.Assignment => inFlight.ContainsKey(deadline.Number),
        DeadlineKind.CoolDown => deadline.Number < ClientCount && clients[deadline.Number].HeldBack,
        DeadlineKind.Scheduler => armed.ContainsKey(deadline.Number),
        _ => true,
    };
}
