using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>What lies in the mailbox.</content>
public sealed partial class RunHost
{
    /// <summary>A request. All but the constructor and <see cref="Refuse"/> is called by the loop.</summary>
    private abstract class Item
    {
        /// <summary>The event to make durable; null when there is none.</summary>
        public virtual LoggedEvent? Event(RunHost host, double now) => null;

        /// <summary>Called before the effects of the group are delivered.</summary>
        public virtual void Attach(RunHost host)
        {
        }

        /// <summary>Called when they have been.</summary>
        /// <param name="effects">Of this item's own event; empty when it had none.</param>
        public abstract void Complete(RunHost host, IReadOnlyList<RunEffect> effects);

        public abstract void Refuse(HostOutcome outcome, TimeSpan retryAfter);
    }

    private abstract class Item<TResult> : Item
    {
        private readonly TaskCompletionSource<TResult> source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<TResult> Task => source.Task;

        public void Answer(TResult result) => source.TrySetResult(result);
    }

    private class EventItem(RunEvent runEvent) : Item<Posted>
    {
        public override LoggedEvent? Event(RunHost host, double now) => new LoggedEvent(runEvent with { Time = now });

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects) => Answer(new Posted(HostOutcome.Done, effects, TimeSpan.Zero));

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer(new Posted(outcome, [], retryAfter));
    }

    private sealed class JoinItem(string member, double examples, int? number) : Item<(HostOutcome Outcome, ClientId Client, TimeSpan RetryAfter)>
    {
        private ClientId client;

        public override LoggedEvent? Event(RunHost host, double now)
        {
            if (host.members.Find(member) is { } known)
            {
                client = known;
                return host.run.Machine.Facts(known).Examples == examples || examples <= 0 ? null : new LoggedEvent(new ClientJoined(now, known, examples), member, []);
            }

            if (host.joining.TryGetValue(member, out client))
            {
                return null; // Earlier in this group.
            }

            client = new ClientId(host.run.Machine.ClientCount + host.joining.Count);
            if (number is { } only && only != client.Value)
            {
                Answer((HostOutcome.Busy, default, Soon)); // Those before it did not get theirs.
                return null;
            }

            host.joining.Add(member, client);
            return new LoggedEvent(new ClientJoined(now, client, examples), member, []);
        }

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects) => Answer((HostOutcome.Done, client, TimeSpan.Zero));

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer((outcome, default, retryAfter));
    }

    private sealed class CheckInItem(ClientId client, bool polls) : Item<CheckInResult>
    {
        private bool mustPost;

        public ClientId Client => client;

        public override LoggedEvent? Event(RunHost host, double now)
        {
            if (!Task.IsCompleted)
            {
                host.byClients?.CameBack(client);
            }

            var machine = host.run.Machine;
            var isKnownToMachine = !mustPost && (machine.Status == RunStatus.Finished || machine.IsWaiting(client) || machine.InFlightOf(client) is not null);
            return isKnownToMachine ? null : new LoggedEvent(new CheckIn(now, client));
        }

        public override void Attach(RunHost host)
        {
            if (host.polls.TryGetValue(client.Value, out var older) && older != this)
            {
                older.Answer(new Waiting(host.run.Machine.WaitReasonOf(client), Soon)); // A newer check-in takes over.
            }

            host.polls[client.Value] = this;
            host.absent.Remove(client.Value);
        }

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects)
        {
            if (Task.IsCompleted || !host.polls.TryGetValue(client.Value, out var present) || present != this)
            {
                return;
            }

            var machine = host.run.Machine;
            if (machine.Status != RunStatus.Finished && machine.InFlightOf(client) is null && !machine.IsWaiting(client) && !mustPost)
            {
                mustPost = true; // What it was known by ended in this very group.
                host.PostInternal(this);
            }
            else if (host.NextOf(client) is var next && (!polls || next is not Waiting))
            {
                host.EndPoll(this, host.OrEvaluate(client, next));
            }
        }

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer(new NotAsked(outcome, retryAfter));
    }

    /// <summary>A long poll has waited long enough, or its client hung up.</summary>
    private sealed class EndPollItem(CheckInItem poll) : Item
    {
        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects)
        {
            if (!poll.Task.IsCompleted)
            {
                host.EndPoll(poll, host.OrEvaluate(poll.Client, host.NextOf(poll.Client)));
            }
        }

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => poll.Refuse(outcome, retryAfter);
    }

    private sealed class SubmitItem(UpdateSubmission submission) : Item<SubmitResult>
    {
        public override LoggedEvent? Event(RunHost host, double now) => new LoggedEvent(
            new UpdateArrived(now, submission.Assignment, submission.Client, submission.Report, submission.Ready), "", submission.Inline);

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects)
        {
            var next = submission.Ready ? host.OrEvaluate(submission.Client, host.NextOf(submission.Client)) : null;
            if (submission.Ready)
            {
                host.NoteAbsent(submission.Client);
            }

            foreach (var effect in effects)
            {
                switch (effect)
                {
                    case Accepted accepted when accepted.Assignment.Id == submission.Assignment:
                        Answer(new UpdateTaken(next));
                        return;
                    case Rejected rejected when rejected.Id == submission.Assignment:
                        Answer(rejected.Reason == Rejection.Duplicate ? new UpdateTaken(next) : new UpdateRefused(rejected.Reason, rejected.Detail, next));
                        return;
                }
            }

            Answer(new UpdateRefused(Rejection.Unknown, $"The run did not answer for {submission.Assignment}.", next));
        }

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer(new UpdateNotAsked(outcome, retryAfter));
    }

    private sealed class GroupItem(string group, IReadOnlyList<UpdateSubmission> members) : Item<GroupResult>
    {
        public override LoggedEvent? Event(RunHost host, double now) => new LoggedEvent(
            new GroupArrived(now, group, [.. members.Select(m => new UpdateArrived(now, m.Assignment, m.Client, m.Report, m.Ready))]),
            "",
            [.. members.SelectMany(m => m.Inline).DistinctBy(i => i.Reference.Sha256)]);

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects)
        {
            foreach (var member in members.Where(m => m.Ready))
            {
                host.NoteAbsent(member.Client);
            }

            var settled = effects.OfType<GroupSettled>().Single(e => e.Group == group);
            Answer(new GroupTaken(settled.Members, settled.Again));
        }

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer(new GroupNotAsked(outcome, retryAfter));
    }

    private sealed class WatchItem(AssignmentId assignment, ClientId client, bool polls) : Item<(HostOutcome Outcome, AssignmentState State)>
    {
        public AssignmentId Assignment => assignment;

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects)
        {
            var state = host.StateOf(assignment, client);
            if (polls && state.Standing == AssignmentStanding.Open)
            {
                host.watches.TryAdd(assignment.Value, []);
                host.watches[assignment.Value].Add(this);
            }
            else
            {
                Answer((HostOutcome.Done, state));
            }
        }

        public void Tell(RunHost host) => Answer((HostOutcome.Done, host.StateOf(assignment, client)));

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer((outcome, default));
    }

    private sealed class EndWatchItem(WatchItem watch) : Item
    {
        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects)
        {
            if (host.watches.TryGetValue(watch.Assignment.Value, out var watching) && watching.Remove(watch) && watching.Count == 0)
            {
                host.watches.Remove(watch.Assignment.Value);
            }

            watch.Tell(host);
        }

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => watch.Refuse(outcome, retryAfter);
    }

    private sealed class AskItem<TResult>(Func<DurableRun, TResult> question) : Item<TResult?>
        where TResult : class
    {
        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects) => Answer(question(host.run));

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer(null);
    }

    private sealed class SaveItem : Item<Posted>
    {
        public override void Attach(RunHost host) => host.saveNow = true;

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects) => Answer(new Posted(HostOutcome.Done, [], TimeSpan.Zero));

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter) => Answer(new Posted(outcome, [], retryAfter));
    }

    /// <summary>A deadline may have passed, or nothing: the loop looks.</summary>
    private sealed class WakeItem : Item
    {
        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects)
        {
        }

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter)
        {
        }
    }

    private sealed class CloseItem : Item
    {
        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects) => host.closing = true;

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter)
        {
        }
    }

    /// <summary>An evaluation at the coordinator is over.</summary>
    private sealed class EvaluatedItem(int version, (double Accuracy, double Loss)? result, string problem) : Item
    {
        public override LoggedEvent? Event(RunHost host, double now) =>
            result is { } found ? new LoggedEvent(new EvaluationArrived(now, version, found.Accuracy, found.Loss)) : null;

        public override void Complete(RunHost host, IReadOnlyList<RunEffect> effects) => host.EndEvaluation(version, problem);

        public override void Refuse(HostOutcome outcome, TimeSpan retryAfter)
        {
        }
    }
}
