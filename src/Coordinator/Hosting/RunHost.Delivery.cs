using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>What the run decided reaches those who wait for it. Called by the loop alone.</content>
public sealed partial class RunHost
{
    private void Deliver(in LoggedEvent logged, IReadOnlyList<RunEffect> effects, long sequence, IReadOnlyList<RunFact> seen)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Dispatch dispatch when polls.TryGetValue(dispatch.Assignment.Client.Value, out var poll):
                    EndPoll(poll, OrEvaluate(poll.Client, NextOf(poll.Client)));
                    break;
                case ArmDeadline arm:
                    deadlines.Arm(arm);
                    break;
                case Cancel cancel:
                    Remember(cancel.Assignment);
                    Tell(cancel.Assignment.Id);
                    break;
                case Accepted accepted:
                    Tell(accepted.Assignment.Id);
                    break;
                case Rejected { Assignment: { } assignment }:
                    Tell(assignment.Id);
                    break;
                case Lost lost:
                    if (lost.Reason != LossReason.ClientFailed)
                    {
                        Remember(lost.Assignment);
                    }

                    Tell(lost.Assignment.Id);
                    break;
                case RequestEvaluation request:
                    QueueEvaluation(request.Version);
                    break;
                case Finish:
                    AskForLastVersion();
                    foreach (var poll in polls.Values.ToList())
                    {
                        EndPoll(poll, OrEvaluate(poll.Client, NextOf(poll.Client)));
                    }

                    break;
            }
        }

        if (!feeds.IsEmpty)
        {
            var notice = new RunNotice(sequence, logged.Event, logged.Member, effects) { Facts = seen };
            foreach (var feed in feeds)
            {
                feed.Give(notice);
            }
        }
    }

    /// <summary>What a client is to be told now.</summary>
    private CheckInResult NextOf(ClientId client)
    {
        var machine = run.Machine;
        if (machine.InFlightOf(client) is { } assignment && run.Versions.TryGetValue(assignment.BaseVersion, out var version))
        {
            return new Granted(assignment, version, run.Parts.Terms(assignment), Math.Max(0, assignment.Deadline - Now));
        }

        if (machine.Status == RunStatus.Finished && machine.Ended is { } ended)
        {
            return new RunOver(ended.Reason, ended.Detail, machine.Version);
        }

        var reason = machine.WaitReasonOf(client);
        var retry = Math.Clamp(reason.Until - Now, 1, Math.Max(1, options.AbsenceGrace / 3));
        return new Waiting(reason, TimeSpan.FromSeconds(double.IsNaN(retry) ? 1 : retry));
    }

    private void EndPoll(CheckInItem poll, CheckInResult result)
    {
        if (polls.TryGetValue(poll.Client.Value, out var present) && present == poll)
        {
            polls.Remove(poll.Client.Value);
            if (result is Waiting or EvaluationWanted)
            {
                NoteAbsent(poll.Client);
            }
        }

        poll.Answer(result);
    }

    private void NoteAbsent(ClientId client)
    {
        var now = Now;
        absent[client.Value] = now;
        absentInOrder.Enqueue((client.Value, now));
    }

    private AssignmentState StateOf(AssignmentId assignment, ClientId client)
    {
        if (run.Machine.Find(assignment) is { } open)
        {
            return open.Client == client
                ? new AssignmentState(AssignmentStanding.Open, Math.Max(0, open.Deadline - Now))
                : new AssignmentState(AssignmentStanding.Unknown, 0);
        }

        if (cancelled.TryGetValue(assignment.Value, out var owner))
        {
            return new AssignmentState(owner == client ? AssignmentStanding.Cancelled : AssignmentStanding.Unknown, 0);
        }

        if (dropped?.OwnerOf(assignment) is { } dropper)
        {
            return new AssignmentState(dropper == client ? AssignmentStanding.Dropped : AssignmentStanding.Unknown, 0);
        }

        return new AssignmentState(run.Machine.WasDispatched(assignment) ? AssignmentStanding.Ended : AssignmentStanding.Unknown, 0);
    }

    private void Remember(Assignment assignment)
    {
        if (cancelled.TryAdd(assignment.Id.Value, assignment.Client))
        {
            cancelledInOrder.Enqueue(assignment.Id.Value);
            if (cancelledInOrder.Count > RememberedCancels)
            {
                cancelled.Remove(cancelledInOrder.Dequeue());
            }
        }
    }

    private void Tell(AssignmentId assignment)
    {
        if (watches.Remove(assignment.Value, out var watching))
        {
            foreach (var watch in watching)
            {
                watch.Tell(this);
            }
        }
    }

    private void ShowView() => view = new RunView
    {
        Host = HostState.Open,
        Problem = evaluationProblem,
        Status = run.Machine.Status,
        Now = run.Machine.Now,
        Sequence = run.NextSequence,
        Version = run.Machine.Version,
        BestVersion = run.Machine.BestVersion,
        BestAccuracy = run.Machine.BestVersion < 0 ? double.NaN : run.Machine.BestAccuracy,
        Spent = run.Parts.Sections.OfType<IPrivacyLedger>().FirstOrDefault()?.Spent,
        Counters = run.Machine.Counters,
        Clients = run.Machine.ClientCount,
        WaitingClients = run.Machine.WaitingCount,
        LongPolls = polls.Count,
        Ended = run.Machine.Ended,
        Versions = run.Versions,
        Saved = run.Saved,
        MailboxDepth = Volatile.Read(ref depth),
    };

    private void RefuseGroup(HostOutcome outcome)
    {
        foreach (var item in group)
        {
            item.Refuse(outcome, Soon);
        }
    }

    private void LetEverybodyGo(HostOutcome outcome)
    {
        foreach (var poll in polls.Values)
        {
            poll.Refuse(outcome, Soon);
        }

        foreach (var watch in watches.Values.SelectMany(w => w))
        {
            watch.Refuse(outcome, Soon);
        }

        polls.Clear();
        watches.Clear();
    }
}
