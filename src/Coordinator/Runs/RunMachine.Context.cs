using Federated.Aggregation.Randomness;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <content>What schedulers may do, and the bookkeeping behind it.</content>
public sealed partial class RunMachine : ISchedulingContext
{
    int ISchedulingContext.InFlight => inFlight.Count;

    SeededRandom ISchedulingContext.Random => random;

    AvailableClients ISchedulingContext.Available => available;

    public ClientFacts Facts(ClientId client)
    {
        ref readonly var record = ref clients[client.Value];
        return new ClientFacts(record.Examples, record.Dispatched, record.AcceptedUpdates, record.LastIncluded, record.SecondsPerStep, record.LastDispatchedAt);
    }

    Assignment ISchedulingContext.Dispatch(ClientId client, LocalWork work)
    {
        if (!available.Remove(client))
        {
            throw new InvalidOperationException($"Only an available client can be given work; {client} is not.");
        }

        var lease = options.ClientTimeout > 0 ? options.ClientTimeout : double.PositiveInfinity;
        var assignment = new Assignment(new AssignmentId(nextAssignment++), client, Version, work, Now, Now + lease);
        inFlight.Add(assignment.Id.Value, assignment);
        dispatched++;
        limiter?.OnAssigned(client.Value);
        ref var record = ref clients[client.Value];
        record.InFlight = assignment.Id.Value;
        record.LastDispatchedAt = Now;
        record.Dispatched++;
        effects.Add(new Dispatch(assignment));
        if (double.IsFinite(assignment.Deadline))
        {
            effects.Add(new ArmDeadline(new Deadline(DeadlineKind.Assignment, assignment.Id.Value), assignment.Deadline));
        }

        return assignment;
    }

    void ISchedulingContext.Accept(in ArrivedUpdate update)
    {
        accepted++;
        limiter?.OnAccepted(update.Assignment.Client.Value);
        Withhold(update.Assignment.Client);
        ref var record = ref clients[update.Assignment.Client.Value];
        record.AcceptedUpdates++;
        record.Examples = update.Report.Examples;
        record.LastEnded = record.LastAccepted = update.Assignment.Id.Value;
        effects.Add(new Accepted(update.Assignment, update.Staleness));
        if (options.Stop.ClientUpdates > 0 && accepted >= options.Stop.ClientUpdates)
        {
            EndSoon(FinishReason.ClientUpdates, $"{accepted} client updates were accepted.");
        }
    }

    void ISchedulingContext.Reject(in ArrivedUpdate update, Rejection reason, string detail) =>
        SettleRejected(update.Assignment, reason, detail);

    void ISchedulingContext.Abandon(AssignmentId assignment, Rejection reason, string detail)
    {
        if (inFlight.Remove(assignment.Value, out var leased))
        {
            clients[leased.Client.Value].InFlight = ClientRecord.None;
            SettleRejected(leased, reason, detail);
            effects.Add(new Cancel(leased, detail));
        }
    }

    void ISchedulingContext.Accumulate(Assignment assignment, UpdateReport report, double weight, DeltaBasis basis)
    {
        accumulated++;
        var effect = new Accumulate(assignment, report, weight, Version - assignment.BaseVersion, basis);
        openAggregate.Add(effect);
        clients[assignment.Client.Value].LastIncluded = Version + 1;
        effects.Add(effect);
        if (limiter is not null)
        {
            limiter.OnIncluded(assignment.Client.Value, Version);
            Withhold(assignment.Client);
        }
    }

    int ISchedulingContext.Publish()
    {
        Version++;
        effects.Add(new Publish(Version, openAggregate.Count));
        openAggregate.Clear();
        limiter?.OnReleased(Version);
        if (options.EvaluateEvery > 0 && Version % options.EvaluateEvery == 0)
        {
            RequestEvaluationOf(Version);
        }

        if (options.Stop.Versions > 0 && Version >= options.Stop.Versions)
        {
            EndSoon(FinishReason.Versions, $"Version {Version} was published.");
        }
        else if (limiter is not null && !limiter.MayRelease(Version))
        {
            EndSoon(FinishReason.Budget, $"The privacy budget ends the run at version {Version}: {limiter.Limits.Releases} releases are {limiter.Limits.Because}.");
        }
        else if (options.OnStale == StalenessPolicy.Abort && options.MaxStaleness >= 0)
        {
            abortStale = true; // After the scheduler's own step is done, so that it is never called from within itself.
        }

        letRestedGo = limiter is { Limits.CanRest: true };
        return Version;
    }

    void ISchedulingContext.Arm(long number, double time)
    {
        armed[number] = time;
        effects.Add(new ArmDeadline(new Deadline(DeadlineKind.Scheduler, number), time));
    }

    private bool IsKnown(ClientId client) => (uint)client.Value < (uint)ClientCount;

    /// <summary>Lets a client that checked in wait for work; false when a pause, a cool-down or the run's end holds it back.</summary>
    private bool MakeAvailable(ClientId client)
    {
        ref var record = ref clients[client.Value];
        if (finishPending is not null || Status == RunStatus.Finished)
        {
            return false;
        }

        var rested = record.LastDispatchedAt + options.CoolDown;
        if (options.CoolDown > 0 && Now < rested)
        {
            if (!record.HeldBack)
            {
                effects.Add(new ArmDeadline(new Deadline(DeadlineKind.CoolDown, client.Value), rested));
            }

            record.HeldBack = true;
            return false;
        }

        if (Status != RunStatus.Running)
        {
            record.HeldBack = true;
            return false;
        }

        if (IsHeldByLimits(client))
        {
            record.HeldBack = true;
            return false;
        }

        record.HeldBack = false;
        available.Add(client);
        return true;
    }

    /// <summary>A client that waits for work, and has just done what it may do for now, waits no longer.</summary>
    private void Withhold(ClientId client)
    {
        if (limiter is not null && available.Contains(client) && IsHeldByLimits(client))
        {
            available.Remove(client);
            clients[client.Value].HeldBack = true;
        }
    }

    /// <summary>Whether the limits let a client take part in no release now; who may later is looked at again with the next version.</summary>
    private bool IsHeldByLimits(ClientId client)
    {
        switch (limiter?.For(client.Value, Version) ?? ParticipationLimiter.Verdict.May)
        {
            case ParticipationLimiter.Verdict.May:
                return false;
            case ParticipationLimiter.Verdict.Rests:
                resting.Add(client.Value);
                return true;
            default:
                return true;
        }
    }

    /// <summary>Who rested until the version that was just published may go on; a run that can make no further release is over.</summary>
    private void FollowLimits()
    {
        if (limiter is null || Status != RunStatus.Running)
        {
            return;
        }

        while (letRestedGo && finishPending is null)
        {
            letRestedGo = false;
            int[] rested = [.. resting];
            resting.Clear();
            foreach (var client in rested)
            {
                if (finishPending is null)
                {
                    Release(new ClientId(client)); // Back among the resting, if it must.
                }
            }
        }

        if (finishPending is null && limiter.Exhausted(ClientCount, () => openAggregate.Count + scheduler.Held.Count(), inFlight.Count) is { } reason)
        {
            EndSoon(FinishReason.Budget, $"The privacy budget ends the run at version {Version}: {reason}.");
        }
    }

    private int HeldByLimits()
    {
        var held = 0;
        for (var i = 0; i < ClientCount; i++)
        {
            held += limiter!.For(i, Version) != ParticipationLimiter.Verdict.May ? 1 : 0;
        }

        return held;
    }

    private void Release(ClientId client)
    {
        if (IsKnown(client) && clients[client.Value].HeldBack && clients[client.Value].InFlight == ClientRecord.None)
        {
            clients[client.Value].HeldBack = false;
            if (MakeAvailable(client))
            {
                scheduler.OnAvailable(this, client);
            }
        }
    }

    private WaitReason WaitOf(ClientId client)
    {
        var rested = clients[client.Value].LastDispatchedAt + options.CoolDown;
        return Status switch
        {
            RunStatus.Finished => new WaitReason(WaitKind.RunOver, 0, 0, double.PositiveInfinity),
            RunStatus.Created => new WaitReason(WaitKind.NotStarted, 0, 0, double.PositiveInfinity),
            RunStatus.Paused => new WaitReason(WaitKind.Paused, 0, 0, double.PositiveInfinity),
            _ when finishPending is not null => new WaitReason(WaitKind.RunOver, 0, 0, double.PositiveInfinity),
            _ when limiter is not null && limiter.For(client.Value, Version) is var verdict and not ParticipationLimiter.Verdict.May => new WaitReason(
                verdict == ParticipationLimiter.Verdict.Spent ? WaitKind.Spent : WaitKind.Rests, limiter.Count(client.Value), limiter.Limits.Cap, double.PositiveInfinity),
            _ => new WaitReason(WaitKind.CoolDown, 0, 0, rested),
        };
    }

    /// <summary>Seconds per step, halving the weight of the past at each update; includes the transfers, as the coordinator sees it.</summary>
    private void Measure(ref ClientRecord record, Assignment assignment, UpdateReport report)
    {
        if (report.LocalSteps > 0)
        {
            var sample = (Now - assignment.DispatchedAt) / report.LocalSteps;
            record.SecondsPerStep = record.SecondsPerStep == 0 ? sample : 0.5 * (record.SecondsPerStep + sample);
        }
    }

    private void SettleRejected(Assignment assignment, Rejection reason, string detail)
    {
        rejected++;
        ref var record = ref clients[assignment.Client.Value];
        record.LastEnded = assignment.Id.Value;
        effects.Add(new Rejected(assignment.Id, assignment.Client, assignment, reason, detail));
    }

    private void Lose(Assignment assignment, LossReason reason, string detail)
    {
        inFlight.Remove(assignment.Id.Value);
        SettleLost(assignment, reason, detail);
        if (finishPending is null && Status is RunStatus.Running or RunStatus.Paused)
        {
            scheduler.OnEnded(this, assignment);
        }
    }

    private void SettleLost(Assignment assignment, LossReason reason, string detail)
    {
        lost++;
        ref var record = ref clients[assignment.Client.Value];
        record.InFlight = ClientRecord.None;
        record.LastEnded = assignment.Id.Value;
        effects.Add(new Lost(assignment, reason, detail));
    }

    private void AbortStale()
    {
        abortStale = false;
        // Ascending ids: the dictionary's order is not part of the state.
        var stale = inFlight.Values.Where(a => Version - a.BaseVersion > options.MaxStaleness).OrderBy(a => a.Id).ToList();
        foreach (var assignment in stale)
        {
            ((ISchedulingContext)this).Abandon(assignment.Id, Rejection.Stale, $"the model moved on by more than {options.MaxStaleness} versions");
            scheduler.OnEnded(this, assignment);
        }
    }

    private void RequestEvaluationOf(int version)
    {
        lastEvaluationRequested = version;
        effects.Add(new RequestEvaluation(version));
    }

    /// <summary>The run ends when the current event is done; nothing is dispatched from here on.</summary>
    private void EndSoon(FinishReason reason, string detail)
    {
        if (finishPending is null && Status != RunStatus.Finished)
        {
            finishPending = (reason, detail);
            while (available.Count > 0)
            {
                available.Remove(available[available.Count - 1]);
            }
        }
    }

    private void FinishRun(FinishReason reason, string detail)
    {
        scheduler.OnFinishing(this);
        foreach (var assignment in inFlight.Values.OrderBy(a => a.Id).ToList())
        {
            inFlight.Remove(assignment.Id.Value);
            SettleLost(assignment, LossReason.RunOver, "The run ended first.");
            effects.Add(new Cancel(assignment, "the run is over"));
        }

        if (lastEvaluationRequested != Version)
        {
            RequestEvaluationOf(Version);
        }

        Status = RunStatus.Finished;
        Ended = (reason, detail);
        Counters.Check();
        effects.Add(new Finish(reason, detail));
    }
}
