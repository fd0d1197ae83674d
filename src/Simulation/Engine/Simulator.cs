using Federated.Coordinator.Runs;
using Federated.Protocol;
using Federated.Simulation.Clock;
using Federated.Simulation.Devices;

namespace Federated.Simulation.Engine;

/// <summary>
/// Host of a run machine in virtual time: plays the clients' side (coming online, training, sending, dropping out), posts what the
/// machine arms, and hands the computing to a workload. One thread, one event at a time; the same seed gives the same run, to the bit.
/// </summary>
/// <remarks>
/// A task's whole course is decided when it is dispatched (<see cref="Fleet.Plan"/>) and stands in the event queue as one event. What
/// the machine does with that event may change the plan of nobody else, so the order (time, clients before timers, first posted first)
/// is the only thing the results depend on. Evaluations arrive at the instant they are asked for, before any later event.
/// A client whose assignment the machine ends (cancelled, or its lease over) stops at once and, if online, checks in again.
/// Cost: about a microsecond per event and 12 B per client beyond the machine's own.
/// </remarks>
public sealed partial class Simulator
{
    private const int HousekeepingInterval = 256;

    private readonly RunMachine machine;
    private readonly RunOptions options;
    private readonly Fleet fleet;
    private readonly IWorkload workload;
    private readonly ISimulationObserver? observer;
    private readonly TimeProvider clock;
    private readonly ParticipationTally? participation;
    private readonly long startedAt;
    private readonly EventQueue queue = new();
    private readonly TaskTable tasks = new();
    private readonly ClientState[] clients;
    private readonly List<RunEffect> effects = [];
    private readonly Dictionary<long, int> parked = [];
    private readonly RunTally tally = new();
    private readonly double target;
    private EvaluationArrived? evaluated;
    private int settling = ClientState.None;
    private bool settlingAccepted;
    private long idleEvents;
    private long lastProgressAt;
    private int waiting;

    /// <param name="machine">A new machine, made with <paramref name="options"/>.</param>
    /// <param name="workload">What clients compute; the simulator does not dispose it.</param>
    /// <param name="clock">The real clock, for wall seconds only.</param>
    /// <param name="importance">ω: a client's intended weight by its examples; null to leave participation unmeasured.</param>
    /// <param name="normalises">Whether the aggregator divides by the weights' sum.</param>
    public Simulator(
        RunMachine machine,
        RunOptions options,
        Fleet fleet,
        IWorkload workload,
        ISimulationObserver? observer,
        TimeProvider clock,
        Func<double, double>? importance = null,
        bool normalises = true)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(fleet);
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(clock);
        (this.machine, this.options, this.fleet, this.workload, this.observer, this.clock) =
            (machine, options, fleet, workload, observer, clock);
        target = options.Stop.TargetAccuracy;
        clients = new ClientState[fleet.Count];
        participation = importance is null ? null : new ParticipationTally(ParticipationTally.Shares(fleet.Count, workload.Examples, importance), normalises);
        startedAt = lastProgressAt = clock.GetTimestamp();
    }

    /// <summary>Runs to the end.</summary>
    /// <param name="cancellation">Stops the run as an operator would: what there is, is kept.</param>
    /// <exception cref="SimulationException">The run's books do not balance at the end: a defect.</exception>
    public SimulationOutcome Run(CancellationToken cancellation)
    {
        if (machine.Status != RunStatus.Created)
        {
            throw new InvalidOperationException("A simulator runs a machine from its beginning, once.");
        }

        Open();
        while (machine.Status != RunStatus.Finished)
        {
            if (!queue.TryTake(out var next) || HasStalled())
            {
                Handle(new RunStalled(queue.Now));
                break;
            }

            Play(next);
            // An event of a run that trains may take seconds of real time; one of a bare timeline takes less than reading the clock.
            if (++tally.Events % HousekeepingInterval == 0 || workload.CanEvaluate)
            {
                Housekeep(cancellation);
            }
        }

        return Close();
    }

    /// <summary>Everybody joins, and comes online when its time is.</summary>
    private void Open()
    {
        for (var client = 0; client < clients.Length; client++)
        {
            clients[client].Slot = ClientState.None;
            Handle(new ClientJoined(0, new ClientId(client), workload.Examples(client)));
            GoIdle(client);
        }

        Handle(new RunStarted(0));
    }

    private void Play(in TimedEvent next)
    {
        switch (next.Kind)
        {
            case EventKind.Arrival:
                Arrive(next);
                break;
            case EventKind.Online:
                CheckInClient(next.Client);
                break;
            case EventKind.Deadline:
                Handle(new DeadlinePassed(next.Time, new Deadline(next.DeadlineKind, next.Number)));
                break;
            case EventKind.Offline:
                CheckOutClient(next);
                break;
            case EventKind.Failure when IsCurrent(next):
                HandleEndOf(
                    EndOfTask(next.Client, ClientActivity.Offline),
                    new AssignmentFailed(next.Time, new AssignmentId(next.Number), new ClientId(next.Client), "The client dropped out."));
                GoIdle(next.Client);
                break;
            case EventKind.Departure when IsCurrent(next):
                HandleEndOf(EndOfTask(next.Client, ClientActivity.Gone), new ClientLost(next.Time, new ClientId(next.Client)));
                break;
        }
    }

    private void CheckInClient(int client)
    {
        clients[client].Activity = ClientActivity.Waiting;
        waiting++;
        idleEvents++;
        Handle(new CheckIn(queue.Now, new ClientId(client)));
        ExpectLeaving(client);
    }

    private void CheckOutClient(in TimedEvent next)
    {
        ref var state = ref clients[next.Client];
        if (state.Activity == ClientActivity.Waiting && state.Tasks == next.Number)
        {
            waiting--;
            idleEvents++;
            Handle(new CheckOut(next.Time, new ClientId(next.Client)));
            GoIdle(next.Client);
        }
    }

    private void Arrive(in TimedEvent next)
    {
        if (!IsCurrent(next))
        {
            return; // Cancelled meanwhile.
        }

        var client = next.Client;
        var ready = fleet.IsAlwaysOnline || fleet.WindowAfter(client, next.Time).Start <= next.Time;
        var slot = EndOfTask(client, ready ? ClientActivity.Waiting : ClientActivity.Offline);
        waiting += ready ? 1 : 0;
        var result = workload.Complete(slot);
        ref var task = ref tasks[slot];
        task.ArrivedAt = next.Time;
        tally.BytesUp += result.BytesUp;
        var report = new UpdateReport
        {
            Examples = workload.Examples(client),
            LocalSteps = task.Plan.Steps,
            TrainingLoss = result.TrainingLoss,
            StepWeight = result.StepWeight,
            IsFinite = result.IsFinite,
            BytesDown = workload.Bytes.Down,
            BytesUp = result.BytesUp,
            Seconds = (task.Plan.Download, task.Plan.Train, task.Plan.Upload),
        };

        observer?.OnArrival(task.Assignment, next.Time);
        HandleEndOf(slot, new UpdateArrived(next.Time, task.Assignment.Id, task.Assignment.Client, report, ready));
        if (ready)
        {
            ExpectLeaving(client);
        }
        else
        {
            GoIdle(client);
        }
    }

    /// <summary>True when the event belongs to the task that the client has in hand.</summary>
    private bool IsCurrent(in TimedEvent next)
    {
        var slot = clients[next.Client].Slot;
        return slot != ClientState.None && tasks[slot].Assignment.Id.Value == next.Number;
    }

    private int EndOfTask(int client, ClientActivity then)
    {
        ref var state = ref clients[client];
        var slot = state.Slot;
        (state.Slot, state.Activity) = (ClientState.None, then);
        idleEvents = 0;
        return slot;
    }

    /// <summary>Handles the event that ends a task; an update that was accepted without being folded in is kept until it is.</summary>
    private void HandleEndOf(int slot, RunEvent runEvent)
    {
        (settling, settlingAccepted) = (slot, false);
        Handle(runEvent);
        if (settling == ClientState.None)
        {
            return;
        }

        settling = ClientState.None;
        if (!settlingAccepted)
        {
            throw new SimulationException(
                $"The run machine left {tasks[slot].Assignment.Id} of {tasks[slot].Assignment.Client} open after the event that ended it. "
                + "This is a defect of the scheduler; please report it with the run's seed.");
        }

        parked.Add(tasks[slot].Assignment.Id.Value, slot);
    }

    /// <summary>The client has no work: it checks in at once if it is online, else when it comes online.</summary>
    private void GoIdle(int client)
    {
        clients[client].Activity = ClientActivity.Offline;
        var start = fleet.IsAlwaysOnline ? queue.Now : Math.Max(queue.Now, fleet.WindowAfter(client, queue.Now).Start);
        queue.Post(start, EventKind.Online, client, 0);
    }

    /// <summary>A client that is left waiting goes offline at the end of its window.</summary>
    private void ExpectLeaving(int client)
    {
        if (!fleet.IsAlwaysOnline && clients[client].Activity == ClientActivity.Waiting)
        {
            queue.Post(fleet.WindowAfter(client, queue.Now).End, EventKind.Offline, client, clients[client].Tasks);
        }
    }

    /// <summary>Clients come and go, but nothing is in flight and nobody has been given work for fifty rounds of that.</summary>
    private bool HasStalled() => idleEvents > 1000 + (100L * clients.Length) && machine.Counters.InFlight == 0;

    private void Housekeep(CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            Handle(new OperatorCommand(queue.Now, OperatorAction.Stop, "Stopped by the operator."));
        }

        if (observer is not null && clock.GetElapsedTime(lastProgressAt).TotalSeconds >= 0.1)
        {
            lastProgressAt = clock.GetTimestamp();
            var counters = machine.Counters;
            observer.OnProgress(new SimulationProgress(
                machine.Version, queue.Now, WallSeconds, counters.Accepted, counters.Rejected, counters.Lost, counters.InFlight, waiting,
                tally.MeanStaleness, tally.Events));
        }
    }

    private double WallSeconds => clock.GetElapsedTime(startedAt).TotalSeconds;
}
