using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.SecureAggregation;

/// <content>
/// How a session ends: with a group of updates, or with a reason. Whatever it waits for it waits for no longer once the coordinator is stopping, which waits for
/// it: what it had asked for by then is done or not, and safe to repeat.
/// </content>
public sealed partial class SecureIntake
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan LastPause = TimeSpan.FromSeconds(10);

    /// <summary>What a session is about to do, for tests that end the process there.</summary>
    internal Func<string, Task>? Passing { get; set; }

    private async Task EndAsync(Session session)
    {
        var server = session.Server;
        try
        {
            session.Answered = server.Present;
            if (server.Phase == SessionPhase.Unmask)
            {
                await PassAsync("open").ConfigureAwait(false);
                server.Advance();
            }

            if (server.Phase != SessionPhase.Done)
            {
                await AbortAsync(session, server.Problem).ConfigureAwait(false);
                return;
            }

            var update = parts.Decode(server.Sum, server.Survivors.Length, server.PublicSeed);
            var members = session.Seats.Where(seat => Array.BinarySearch(server.Survivors, seat.Index) >= 0).OrderBy(seat => seat.Assignment).ToList();
            await PassAsync("give up").ConfigureAwait(false);
            await GiveUpOthersAsync(session, members).ConfigureAwait(false);
            await PassAsync("write").ConfigureAwait(false);
            await CountAsync(session, members, update).ConfigureAwait(false);
            await PassAsync("counted").ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException || stopping.IsCancellationRequested)
        {
            Close(session, "the coordinator stopped before the sum was counted");
        }
        catch (Exception e)
        {
            await AbortAsync(session, $"the sum could not be counted: {e.Message}").ConfigureAwait(false);
        }
    }

    private Task PassAsync(string point) => Passing is { } passing ? passing(point).WaitAsync(stopping.Token) : Task.CompletedTask;

    /// <summary>Writes the mean once and tells the run of all members in one event; again and again while the run cannot be asked.</summary>
    private async Task CountAsync(Session session, List<Seat> members, byte[] update)
    {
        var blob = await Repeatedly(async () =>
        {
            try
            {
                await using var writer = await blobs.CreateAsync(stopping.Token).ConfigureAwait(false);
                await writer.WriteAsync(update, stopping.Token).ConfigureAwait(false);
                return await writer.CommitAsync(null, stopping.Token).ConfigureAwait(false);
            }
            catch (Storage.StorageException)
            {
                return null;
            }
        }).ConfigureAwait(false);
        await PassAsync("post").ConfigureAwait(false);
        var bytes = WordPacking.Bytes(terms.Length, terms.Bits);
        var work = await WorkAsync().ConfigureAwait(false);
        var submissions = members.ConvertAll(seat => new UpdateSubmission(
            seat.Assignment,
            seat.Client,
            new UpdateReport
            {
                // The same for all: what a member did or has is not known, and nothing may depend on it.
                Examples = 1,
                LocalSteps = Math.Max(1, work.GetValueOrDefault(seat.Assignment).Steps),
                StepWeight = Math.Max(1, work.GetValueOrDefault(seat.Assignment).Steps),
                Delta = blob,
                BytesUp = bytes,
            },
            Ready: false));
        var group = $"secure-sum-{Convert.ToHexStringLower(session.Server.Session.Span)}";
        var result = await Repeatedly<GroupResult>(async () =>
            await host.SubmitGroupAsync(group, submissions, stopping.Token).WaitAsync(stopping.Token).ConfigureAwait(false) is var posted and not GroupNotAsked { Outcome: HostOutcome.Busy or HostOutcome.Unavailable } ? posted : null)
            .ConfigureAwait(false);
        switch (result)
        {
            case GroupTaken taken:
                Close(session, null, taken.Members.ToDictionary(m => m.Assignment, m => m.Refused is { } reason
                    ? new UpdateOutcomeMessage(false, Spelling.Of(reason), "The sum counted; this assignment had ended before.")
                    : new UpdateOutcomeMessage(true, "", "")));
                break;
            case GroupUnsound unsound:
                throw new CoordinatorException($"The sum is no update of this run: {unsound.Members[0].Problem} This is a defect of the encoding.");
            default:
                throw new CoordinatorException("The run is not open any more.");
        }
    }

    /// <summary>
    /// Ends the assignments of members that are not in the sum; in a synchronous run of the whole round's other clients too, which no further sum would take.
    /// Before the group counts, so that the round is complete with it.
    /// </summary>
    private async Task GiveUpOthersAsync(Session session, List<Seat> members)
    {
        var kept = members.Select(m => m.Assignment).ToHashSet();
        foreach (var seat in session.Seats.Where(seat => !kept.Contains(seat.Assignment)))
        {
            await FailAsync(seat.Assignment, seat.Client, "it dropped out of the session of secure aggregation").ConfigureAwait(false);
        }

        if (parts.Plan.IsSynchronous)
        {
            var others = await host.AskAsync(run => run.Machine.Assignments.Where(a => !kept.Contains(a.Id)).ToList()).WaitAsync(stopping.Token).ConfigureAwait(false) ?? [];
            foreach (var assignment in others.OrderBy(a => a.Id))
            {
                await FailAsync(assignment.Id, assignment.Client, "the round's session of secure aggregation went on without it").ConfigureAwait(false);
            }
        }
    }

    private async Task<Dictionary<AssignmentId, LocalWork>> WorkAsync() =>
        (await host.AskAsync(run => run.Machine.Assignments.ToDictionary(a => a.Id, a => a.Work)).WaitAsync(stopping.Token).ConfigureAwait(false)) ?? [];

    private async Task AbortAsync(Session session, string why)
    {
        try
        {
            foreach (var seat in session.Seats.OrderBy(seat => seat.Assignment))
            {
                await FailAsync(seat.Assignment, seat.Client, $"the session of secure aggregation failed: {why}").ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The coordinator is stopping: they end by their leases.
        }

        Close(session, why);
    }

    private async Task FailAsync(AssignmentId assignment, ClientId client, string why)
    {
        var reason = why.Length <= 200 ? why : why[..200];
        await Repeatedly(async () => await host.FailAsync(assignment, client, reason).WaitAsync(stopping.Token).ConfigureAwait(false) is { Outcome: not (HostOutcome.Busy or HostOutcome.Unavailable) } posted ? (object)posted : null)
            .ConfigureAwait(false);
    }

    private async Task<TResult> Repeatedly<TResult>(Func<Task<TResult?>> attempt)
        where TResult : class
    {
        for (var pause = FirstPause; ; pause = TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, LastPause.Ticks)))
        {
            if (await attempt().ConfigureAwait(false) is { } result)
            {
                return result;
            }

            await Task.Delay(pause, clock, stopping.Token).ConfigureAwait(false);
        }
    }

    private void Close(Session session, string? problem, Dictionary<AssignmentId, UpdateOutcomeMessage>? outcomes = null)
    {
        lock (gate)
        {
            session.Problem = problem;
            session.Outcomes = outcomes ?? [];
            session.Ended = Now;
            session.IsOver = true;
            session.Server.Forget(); // Of those that are remembered only who was in them is asked.
            open.Remove(session);
            ended.Enqueue(session);
            facts.Enqueue(FactOf(session));
            while (facts.Count > Shown)
            {
                facts.Dequeue();
            }

            while (ended.Count > Remembered)
            {
                foreach (var seat in ended.Dequeue().Seats.Where(seat => seats.GetValueOrDefault(seat.Assignment.Value) == seat))
                {
                    seats.Remove(seat.Assignment.Value);
                }
            }

            SetTicking();
            session.Pulse();
        }
    }

    private sealed class Session(SessionServer server, double started)
    {
        public SessionServer Server => server;

        public double Started => started;

        public double? Ended { get; set; }

        public double Until { get; set; }

        public List<Seat> Seats { get; } = [];

        /// <summary>Its end is being carried out: nothing is taken any more.</summary>
        public bool IsOpening { get; set; }

        public bool IsOver { get; set; }

        /// <summary>Who answered when the sum was opened.</summary>
        public int Answered { get; set; }

        public Task Ending { get; set; } = Task.CompletedTask;

        /// <summary>Null while it has not failed.</summary>
        public string? Problem { get; set; }

        public Dictionary<AssignmentId, UpdateOutcomeMessage> Outcomes { get; set; } = [];

        public TaskCompletionSource Changed { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Pulse()
        {
            var waiting = Changed;
            Changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.TrySetResult();
        }
    }

    private sealed class Seat(Session session, ClientId client, AssignmentId assignment, string member)
    {
        private readonly Dictionary<string, byte[]> sent = new(StringComparer.Ordinal);

        public Session Session => session;

        public ClientId Client => client;

        public AssignmentId Assignment => assignment;

        public string Member => member;

        /// <summary>Its place in the roster; −1 before that is closed.</summary>
        public int Index { get; set; } = -1;

        public void Note(string step, byte[] digest) => sent[step] = digest;

        /// <returns>Null when the step has not been taken.</returns>
        public StepAnswer? Repeats(string step, byte[] digest) => !sent.TryGetValue(step, out var before) ? null
            : before.AsSpan().SequenceEqual(digest) ? StepAnswer.Taken
            : new StepAnswer(StepVerdict.Refused, $"Step {step} was taken with other content.");
    }
}
