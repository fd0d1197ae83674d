using Federated.Aggregation.Randomness;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <summary>
/// A run as a deterministic, single-writer state machine: events in, effects out. It reads no clock (events carry their time), draws
/// only from its own seeded stream, and does no I/O; the same events give the same state and the same effects, to the bit.
/// </summary>
/// <remarks>
/// The loop is that of asynchronous federated learning with its order rules fixed: an update is applied before its sender's place is
/// filled again; a publish raises the version by exactly one; arrivals at equal times keep the order in which the host posts them.
/// Late, duplicate, stale and malformed arrivals become <see cref="Rejected"/> effects, never exceptions.
/// Not thread-safe: one host feeds one machine. Memory: about 80 B per client and 100 B per assignment in flight.
/// </remarks>
public sealed partial class RunMachine
{
    private readonly RunOptions options;
    private readonly IScheduler scheduler;
    private readonly ParticipationLimiter? limiter;
    private readonly AvailableClients available = new();
    private readonly SortedSet<int> resting = [];
    private readonly Dictionary<long, Assignment> inFlight = [];
    private readonly Dictionary<long, double> armed = [];
    private readonly List<Accumulate> openAggregate = [];

    private ClientRecord[] clients = [];
    private SeededRandom random;
    private List<RunEffect> effects = [];
    private long nextAssignment;
    private long dispatched, accepted, rejected, lost, ignored, accumulated;
    private int nonFiniteInARow;
    private double bestAccuracy = double.NegativeInfinity;
    private int bestVersion = -1;
    private double firstLoss = double.NaN;
    private int evaluationsSinceBest;
    private int lastEvaluationRequested = -1;
    private (FinishReason Reason, string Detail)? finishPending;
    private bool abortStale;
    private bool letRestedGo;

    /// <param name="limiter">What the privacy policy allows; null in a run without one.</param>
    public RunMachine(RunOptions options, IScheduler scheduler, ParticipationLimiter? limiter = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(scheduler);
        (this.options, this.scheduler, this.limiter) = (options, scheduler, limiter);
        random = SeededRandom.Derive(options.Seed, "run");
    }

    /// <summary>Time of the last event, in seconds on the run's clock.</summary>
    public double Now { get; private set; }

    public int Version { get; private set; }

    public RunStatus Status { get; private set; }

    /// <summary>Why the run ended; null while it has not.</summary>
    public (FinishReason Reason, string Detail)? Ended { get; private set; }

    /// <summary>The evaluated version with the best accuracy so far; −1 before any.</summary>
    public int BestVersion => bestVersion;

    public int ClientCount { get; private set; }

    public RunCounters Counters => new(dispatched, accepted, rejected, lost, inFlight.Count, ignored, accumulated);

    /// <summary>Accepted updates that are folded into the aggregate not yet published.</summary>
    public IReadOnlyList<Accumulate> OpenAggregate => openAggregate;

    /// <summary>Accepted updates that are in no published version yet: a host keeps their blobs, and the versions they count against.</summary>
    public IEnumerable<(Assignment Assignment, UpdateReport Report)> Unpublished =>
        openAggregate.Select(a => (a.Assignment, a.Report)).Concat(scheduler.Held.Select(u => (u.Assignment, u.Report)));

    /// <summary>The assignments out at clients, in no meaningful order.</summary>
    public IReadOnlyCollection<Assignment> Assignments => inFlight.Values;

    /// <summary>Takes one event and appends what the host has to do, in order.</summary>
    public void Handle(RunEvent runEvent, List<RunEffect> effects)
    {
        ArgumentNullException.ThrowIfNull(runEvent);
        this.effects = effects;
        Now = Math.Max(Now, runEvent.Time); // A clock that jumps back must not reorder what was decided.
        switch (runEvent)
        {
            case UpdateArrived e: OnUpdate(e); break;
            case GroupArrived e: OnGroup(e); break;
            case CheckIn e: OnCheckIn(e.Client); break;
            case DeadlinePassed e: OnDeadline(e.Deadline); break;
            case CheckOut e: OnCheckOut(e.Client); break;
            case AssignmentFailed e: OnFailed(e); break;
            case ClientJoined e: OnJoined(e); break;
            case ClientLost e: OnClientLost(e.Client); break;
            case EvaluationArrived e: OnEvaluation(e); break;
            case OperatorCommand e: OnCommand(e); break;
            case RunStarted: OnStarted(); break;
            case RunStalled: OnStalled(); break;
            default: throw new ArgumentException($"No handler for {runEvent.GetType().Name}.", nameof(runEvent));
        }

        Settle();
    }

    /// <summary>What follows from an event once it has been taken.</summary>
    private void Settle()
    {
        while (abortStale && finishPending is null)
        {
            AbortStale();
        }

        FollowLimits();

        if (finishPending is { } finish && Status != RunStatus.Finished)
        {
            FinishRun(finish.Reason, finish.Detail);
        }
    }

    private void OnStarted()
    {
        if (Status != RunStatus.Created)
        {
            return;
        }

        Status = RunStatus.Running;
        effects.Add(new StatusChanged(Status));
        if (options.Stop.Seconds > 0)
        {
            effects.Add(new ArmDeadline(new Deadline(DeadlineKind.Run, 0), options.Stop.Seconds));
        }

        RequestEvaluationOf(0);
    }

    private void OnJoined(ClientJoined e)
    {
        if (e.Client.Value < ClientCount)
        {
            clients[e.Client.Value].Examples = e.Examples; // It joined before; its data may have grown.
            return;
        }

        if (e.Client.Value != ClientCount)
        {
            throw new ArgumentException($"Client ids are given in order: the next is {ClientCount}, not {e.Client.Value}.", nameof(e));
        }

        if (ClientCount == clients.Length)
        {
            Array.Resize(ref clients, Math.Max(16, clients.Length * 2));
        }

        clients[ClientCount++] = ClientRecord.Joined(e.Examples);
    }

    private void OnCheckIn(ClientId client)
    {
        if (!IsKnown(client))
        {
            return;
        }

        ref var record = ref clients[client.Value];
        record.Gone = false;
        if (record.InFlight != ClientRecord.None)
        {
            effects.Add(new Dispatch(inFlight[record.InFlight])); // It forgot (a restart): the lease still holds.
            return;
        }

        if (!MakeAvailable(client))
        {
            effects.Add(new Wait(client, WaitOf(client)));
            return;
        }

        scheduler.OnAvailable(this, client);
        if (available.Contains(client) && finishPending is null)
        {
            effects.Add(new Wait(client, scheduler.DescribeWait(this, client)));
        }
    }

    private void OnCheckOut(ClientId client)
    {
        if (IsKnown(client))
        {
            available.Remove(client);
            clients[client.Value].HeldBack = false;
        }
    }

    private void OnFailed(AssignmentFailed e)
    {
        if (inFlight.TryGetValue(e.Assignment.Value, out var assignment) && assignment.Client == e.Client)
        {
            Lose(assignment, LossReason.ClientFailed, e.Reason);
        }
        else
        {
            ignored++;
        }
    }

    private void OnClientLost(ClientId client)
    {
        if (!IsKnown(client))
        {
            return;
        }

        OnCheckOut(client);
        ref var record = ref clients[client.Value];
        record.Gone = true;
        if (record.InFlight != ClientRecord.None)
        {
            Lose(inFlight[record.InFlight], LossReason.ClientLost, "The client is gone.");
        }
    }

    private void OnDeadline(Deadline deadline)
    {
        switch (deadline.Kind)
        {
            case DeadlineKind.Assignment when inFlight.TryGetValue(deadline.Number, out var assignment) && Now >= assignment.Deadline:
                Lose(assignment, LossReason.DeadlinePassed, "The lease ended before an update came.");
                effects.Add(new Cancel(assignment, "the lease ended"));
                break;
            case DeadlineKind.CoolDown:
                Release(new ClientId((int)deadline.Number));
                break;
            case DeadlineKind.Scheduler when armed.TryGetValue(deadline.Number, out var due) && Now >= due:
                armed.Remove(deadline.Number);
                if (Status is RunStatus.Running or RunStatus.Paused)
                {
                    scheduler.OnDeadline(this, deadline.Number);
                }

                break;
            case DeadlineKind.Run:
                EndSoon(FinishReason.Time, $"The run's {options.Stop.Seconds} seconds are over.");
                break;
        }
    }

    private void OnCommand(OperatorCommand e)
    {
        switch (e.Action)
        {
            case OperatorAction.Pause when Status == RunStatus.Running:
                Status = RunStatus.Paused;
                while (available.Count > 0)
                {
                    var client = available[available.Count - 1];
                    available.Remove(client);
                    clients[client.Value].HeldBack = true;
                }

                effects.Add(new StatusChanged(Status));
                break;
            case OperatorAction.Resume when Status == RunStatus.Paused:
                Status = RunStatus.Running;
                effects.Add(new StatusChanged(Status));
                for (var i = 0; i < ClientCount && finishPending is null; i++)
                {
                    Release(new ClientId(i));
                }

                break;
            case OperatorAction.Stop:
                EndSoon(FinishReason.Operator, e.Reason);
                break;
        }
    }

    private void OnStalled()
    {
        var held = limiter is null ? 0 : HeldByLimits();
        if (held > 0)
        {
            EndSoon(FinishReason.Budget, $"Nothing more can happen at version {Version}: {held} of {ClientCount} clients may not take part now{(limiter!.Limits.Because.Length > 0 ? $": they have done {limiter.Limits.Because}" : "")}.");
            return;
        }

        EndSoon(FinishReason.Stalled, $"Nothing more can happen at version {Version}: {scheduler.DescribeWait(this, default)}.");
    }
}
