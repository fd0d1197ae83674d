using Federated.Coordinator.Runs;
using Federated.Simulation.Clock;
using Federated.Simulation.Devices;
using Federated.Simulation.Results;

namespace Federated.Simulation.Engine;

/// <content>What the machine asks for, carried out in order.</content>
public sealed partial class Simulator
{
    private int publishedVersion;

    /// <summary>Feeds the machine one event, and whatever evaluation follows at the same instant.</summary>
    private void Handle(RunEvent runEvent)
    {
        for (RunEvent? current = runEvent; current is not null; (current, evaluated) = (evaluated, null))
        {
            effects.Clear();
            machine.Handle(current, effects);
            for (var i = 0; i < effects.Count; i++)
            {
                CarryOut(effects[i]);
            }
        }
    }

    private void CarryOut(RunEffect effect)
    {
        switch (effect)
        {
            case Dispatch e: Begin(e); break;
            case ArmDeadline e: queue.Post(Math.Max(e.Time, queue.Now), e.Deadline); break;
            case Accepted:
                settlingAccepted = true;
                workload.Accept(settling);
                break;
            case Accumulate e: Fold(e); break;
            case Publish e: PublishVersion(e); break;
            case RequestEvaluation e: Evaluate(e.Version); break;
            case Rejected { Assignment: { } assignment } e:
                End(assignment.Id.Value, assignment.Client.Value, UpdateOutcome.Rejected, Words.Of(e.Reason));
                break;
            case Lost e:
                End(e.Assignment.Id.Value, e.Assignment.Client.Value, UpdateOutcome.Lost, Words.Of(e.Reason));
                break;
            case Cancel e when machine.Status != RunStatus.Finished: Release(e); break;
        }
    }

    private void Begin(Dispatch effect)
    {
        var assignment = effect.Assignment;
        var client = assignment.Client.Value;
        ref var state = ref clients[client];
        if (state.Activity != ClientActivity.Waiting)
        {
            throw new SimulationException(
                $"The run machine gave {assignment.Id} to {assignment.Client}, which is {state.Activity}; only a waiting client can take work. "
                + "This is a defect of the scheduler; please report it with the run's seed.");
        }

        var bytes = workload.Bytes;
        var asked = assignment.Work.IsClientsChoice ? 0 : workload.StepsFor(client, assignment.Work);
        observer?.OnDispatch(assignment);
        var plan = fleet.Plan(client, state.Tasks, assignment.Work, asked, bytes.Down, bytes.Up, queue.Now);
        var slot = tasks.Add(assignment, plan);
        state.Activity = ClientActivity.Working;
        state.Slot = slot;
        state.Tasks++;
        waiting--;
        idleEvents = 0;
        tally.BytesDown += bytes.Down;
        switch (plan.Fate)
        {
            case TaskFate.Arrives:
                workload.Begin(slot, assignment, plan.Steps, plan.End);
                queue.Post(plan.End, EventKind.Arrival, client, assignment.Id.Value);
                break;
            case TaskFate.Fails:
                queue.Post(plan.End, EventKind.Failure, client, assignment.Id.Value);
                break;
            case TaskFate.Departs:
                queue.Post(plan.End, EventKind.Departure, client, assignment.Id.Value);
                break;
        }
    }

    private void Fold(Accumulate effect)
    {
        var id = effect.Assignment.Id.Value;
        int slot;
        if (settling != ClientState.None && tasks[settling].Assignment.Id.Value == id)
        {
            (slot, settling) = (settling, ClientState.None);
        }
        else if (!parked.Remove(id, out slot))
        {
            throw new SimulationException(
                $"The run machine folds in {effect.Assignment.Id} of {effect.Assignment.Client}, which was not accepted or was folded in before. "
                + "This is a defect of the scheduler; please report it with the run's seed.");
        }

        workload.Accumulate(slot, effect);
        participation?.Accumulate(effect.Assignment.Client.Value, effect.Weight);
        tally.Fold(effect.Staleness);
        Settle(slot, UpdateOutcome.Accepted, "", effect.Staleness, effect.Weight);
    }

    private void PublishVersion(Publish effect)
    {
        if (effect.Version != ++publishedVersion)
        {
            throw new SimulationException(
                $"Version {effect.Version} was published after version {publishedVersion - 1}; versions must follow one another. This is a defect.");
        }

        var weights = workload.Publish(effect);
        participation?.Publish();
        var staleness = tally.EndVersion();
        observer?.OnVersion(new VersionPublished(effect.Version, queue.Now, effect.Count, staleness, weights, workload.LastMeasures));
    }

    private void Evaluate(int version)
    {
        if (!workload.CanEvaluate)
        {
            return;
        }

        var evaluation = workload.Evaluate();
        if (observer is not null)
        {
            observer.OnEvaluation(new MetricsRow
            {
                Version = version,
                Round = version,
                VirtualSeconds = queue.Now,
                WallSeconds = WallSeconds,
                Accuracy = evaluation.Accuracy,
                Loss = evaluation.Loss,
                ClientUpdates = machine.Counters.Accepted,
                BytesUp = tally.BytesUp,
                BytesDown = tally.BytesDown,
                MeanStaleness = tally.MeanStaleness,
                Epsilon = workload.Epsilon,
            });
        }

        tally.Evaluated(queue.Now, evaluation.Accuracy, evaluation.Loss, target);
        evaluated = new EvaluationArrived(queue.Now, version, evaluation.Accuracy, evaluation.Loss);
    }

    /// <summary>An assignment ended without being folded in: by its own event, or while its client still worked.</summary>
    private void End(long assignment, int client, UpdateOutcome outcome, string reason)
    {
        int slot;
        if (settling != ClientState.None && tasks[settling].Assignment.Id.Value == assignment)
        {
            (slot, settling) = (settling, ClientState.None);
            if (outcome == UpdateOutcome.Rejected)
            {
                workload.Reject(slot);
            }
        }
        else
        {
            (slot, clients[client].Slot) = (clients[client].Slot, ClientState.None);
        }

        if (slot == ClientState.None || tasks[slot].Assignment.Id.Value != assignment)
        {
            throw new SimulationException(
                $"The run machine ends assignment {assignment} of client {client}, which is not in flight. "
                + "This is a defect of the scheduler; please report it with the run's seed.");
        }

        Settle(slot, outcome, reason, machine.Version - tasks[slot].Assignment.BaseVersion, 0);
    }

    /// <summary>A client whose assignment was ended under its hands stops working.</summary>
    private void Release(Cancel effect)
    {
        var client = effect.Assignment.Client.Value;
        if (clients[client] is { Activity: ClientActivity.Working, Slot: ClientState.None })
        {
            GoIdle(client);
        }
    }

    /// <summary>The end of a task: its row, its delta, its slot.</summary>
    private void Settle(int slot, UpdateOutcome outcome, string reason, int staleness, double weight)
    {
        var norm = workload.NormOf(slot);
        workload.Discard(slot);
        if (observer is not null)
        {
            ref readonly var task = ref tasks[slot];
            var arrived = !double.IsNaN(task.ArrivedAt);
            var client = task.Assignment.Client.Value;
            observer.OnUpdate(new UpdateRow(
                task.Assignment.Id.Value,
                client,
                task.Assignment.BaseVersion,
                staleness,
                arrived ? task.Plan.Steps : 0,
                workload.Examples(client),
                arrived ? task.Plan.Download : 0,
                arrived ? task.Plan.Train : 0,
                arrived ? task.Plan.Upload : 0,
                arrived ? queue.Now - task.ArrivedAt : 0,
                weight,
                outcome,
                reason,
                task.Assignment.DispatchedAt,
                arrived ? task.ArrivedAt : queue.Now,
                norm));
        }

        tasks.Free(slot);
    }

    /// <summary>What is left is settled, and the run checks itself.</summary>
    private SimulationOutcome Close()
    {
        foreach (var slot in parked.OrderBy(pair => pair.Key).Select(pair => pair.Value))
        {
            workload.Reject(slot);
            Settle(slot, UpdateOutcome.Accepted, "never-folded-in", machine.Version - tasks[slot].Assignment.BaseVersion, 0);
        }

        parked.Clear();
        var counters = machine.Counters;
        if (counters.Accepted + counters.Rejected + counters.Lost != counters.Dispatched || tasks.Count != 0 || publishedVersion != machine.Version)
        {
            throw new SimulationException(
                $"The run's books do not balance at its end: dispatched {counters.Dispatched}, accepted {counters.Accepted}, rejected {counters.Rejected}, "
                + $"lost {counters.Lost}, {tasks.Count} tasks without an end, {publishedVersion} versions published of {machine.Version}. "
                + "This is a defect; please report it with the run's seed.");
        }

        var (reason, detail) = machine.Ended!.Value;
        return new SimulationOutcome(
            reason, detail, machine.Version, counters, queue.Now, WallSeconds, tally.Events, tally.BytesUp, tally.BytesDown,
            tally.FinalAccuracy, tally.FinalLoss, tally.BestAccuracy, tally.TimeToTarget, participation?.Summarize());
    }
}
