using Federated.Aggregation.Randomness;
using Federated.Client.Privacy;
using Federated.Client.Store;
using Federated.Client.Training;
using Federated.Client.Transport;
using Federated.Protocol.Wire;

namespace Federated.Client.Session;

/// <summary>
/// The loop of docs/protocol.md: enrol, check in, work, send, again, until the run is over. What a crash interrupts is taken up where the
/// store says it stood.
/// </summary>
/// <remarks>
/// Durable steps: (1) the key pair, before enrolment; (2) the client's id; (3) the finished update, before its first byte is sent; (4) after
/// its outcome, what the client remembers of it. Between (3) and (4) the update is sent again, by this process or the next, until there
/// is an outcome, which is the same every time. Before (3) nothing is lost but the work: the next check-in gives the assignment again.
/// Awaits keep their context on purpose: <see cref="FederatedClient"/> starts the loop off the caller's, and tests run it on a thread of theirs.
/// </remarks>
internal sealed class ClientSession
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(3);

    private readonly FederatedClientOptions options;
    private readonly ITrainer trainer;
    private readonly TimeProvider clock;
    private readonly IRunStore store;
    private readonly SeededRandom random;
    private readonly Backoff backoff;
    private readonly Authenticator authenticator;
    private readonly Caller caller;
    private readonly TaskRunner tasks;
    private readonly UpdateSender sender;
    private readonly PrivacyGuard? guard;
    private readonly SecureSumRunner sums;
    private int accepted;
    private int rejected;
    private int givenUp;
    private int failuresInRow;
    private int trainerFailuresInRow;
    private int? declined;
    private bool hasCheckedIn;
    private bool hidesExamples;

    /// <param name="seed">Of the random parts of waits.</param>
    /// <param name="compute">Runs what keeps a core busy, off the loop's own context.</param>
    public ClientSession(
        FederatedClientOptions options, ITransport transport, IClientStore store, ITrainer trainer, TimeProvider clock, ulong seed, Func<Action, Task> compute)
    {
        (this.options, this.trainer, this.clock, this.store) = (options, trainer, clock, store.OpenRun(options.Run));
        random = SeededRandom.Derive(seed, "waits");
        backoff = new Backoff(options.FirstRetry, options.LastRetry, SeededRandom.Derive(seed, "retries"));
        authenticator = new Authenticator(transport, store, options.EnrolmentToken, options.Name, clock);
        caller = new Caller(transport, authenticator, backoff, clock, options.Observer);
        var fetcher = new ModelFetcher(caller, store.Models);
        guard = options.Privacy is { } privacy ? new PrivacyGuard(privacy, options.PrivacyVeto, options.Run, store) : null;
        hidesExamples = guard?.Requirements.KeepsScores == true;
        tasks = new TaskRunner(fetcher, this.store, trainer, options, clock, compute, guard);
        sender = new UpdateSender(options.Run, caller, this.store, options);
        sums = new SecureSumRunner(options.Run, caller, store, options, tasks.ComputeAsync);
    }

    public async Task<SessionSummary> RunAsync(CancellationToken cancellation)
    {
        if (await caller.CallAsync("enrolment", options.RequestTimeout, async (_, c) => await authenticator.EnrolAsync(c), cancellation) is { } client)
        {
            options.Observer.On(new Enrolled(client));
        }

        // Before the run is joined, and before what was left from last time is sent.
        if (guard is not null && guard.Judge(await caller.CallAsync("privacy", options.RequestTimeout, (t, c) => t.GetPrivacyAsync(options.Run, c), cancellation)) is { } weak)
        {
            return Refuse(null, weak);
        }

        if (store.Pending is { } left)
        {
            // From before a restart; whether the client has time for more is asked afresh.
            await SettleAsync(left with { Declaration = left.Declaration with { Ready = false } }, cancellation);
        }

        CheckInReply? reply = null;
        while (!IsEnough)
        {
            var polled = reply is null && (hasCheckedIn || options.FirstPoll is null);
            reply ??= await CheckInAsync(cancellation);
            switch (reply)
            {
                case { Over: { } over }:
                    return new SessionSummary(over.Reason, over.FinalVersion, accepted, rejected, givenUp);
                case { Assignment: { } assignment } when guard?.Judge(assignment) is { } refusal:
                    await FailAsync(assignment.Id, $"the client's privacy requirements do not allow it: {refusal}", cancellation);
                    return Refuse(assignment.Id, refusal);
                case { Assignment: { } assignment }:
                    reply = await WorkAsync(assignment, cancellation);
                    break;
                case { Evaluation: { } evaluation }:
                    await EvaluateAsync(evaluation, cancellation);
                    reply = null;
                    break;
                default:
                    await WaitAsync(reply.Wait ?? new WaitMessage("the coordinator's reply holds nothing that this client knows", 10), polled, cancellation);
                    reply = null;
                    break;
            }
        }

        return new SessionSummary($"{options.MaxUpdates} updates have been settled, as asked", null, accepted, rejected, givenUp);
    }

    private SessionSummary Refuse(long? assignment, string reason)
    {
        givenUp += assignment is null ? 0 : 1;
        options.Observer.On(new PrivacyRefused(assignment, reason));
        return new SessionSummary($"the client's privacy requirements keep it out of the run: {reason}", null, accepted, rejected, givenUp) { IsPrivacyRefusal = true };
    }

    private bool IsEnough => options.MaxUpdates > 0 && accepted + rejected >= options.MaxUpdates;

    private async Task<CheckInReply> CheckInAsync(CancellationToken cancellation)
    {
        while (options.Participation.UntilReady(clock.GetUtcNow()) is var rest && rest > TimeSpan.Zero)
        {
            options.Observer.On(new Resting(rest));

            // Timers count whole milliseconds; rounded down, the last part of one would be waited for in a tight loop.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(Math.Min(rest.TotalMilliseconds, LongestWait.TotalMilliseconds))), clock, cancellation);
        }

        var wait = hasCheckedIn ? options.LongPoll : options.FirstPoll ?? options.LongPoll;
        var reply = await caller.CallAsync(
            "check-in",
            wait + options.RequestTimeout,
            (transport, c) => transport.CheckInAsync(options.Run, new CheckInRequest(hidesExamples ? 0 : trainer.Examples, wait.TotalSeconds), c),
            cancellation);
        hasCheckedIn = true;
        return reply;
    }

    private async Task<CheckInReply?> WorkAsync(AssignmentMessage assignment, CancellationToken cancellation)
    {
        options.Observer.On(new Assigned(assignment.Id, assignment.BaseVersion));
        hidesExamples = guard?.Requirements.KeepsScores == true || UpdateProtection.HidesExamples(assignment.Privacy);
        WorkResult result;
        await using (var watch = new WorkWatch(options.Run, assignment, caller, options.Participation, options, clock, cancellation))
        {
            try
            {
                result = await tasks.RunAsync(assignment, watch, IsReadyForMore);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                await SayFarewellAsync(assignment.Id);
                throw;
            }
        }

        if (result.Sum is { } sum)
        {
            await SumAsync(assignment.Id, sum, cancellation);
            return null;
        }

        if (result.Pending is not { } pending)
        {
            await GiveUpAsync(assignment.Id, result, cancellation);
            return null;
        }

        (failuresInRow, trainerFailuresInRow) = (0, 0);
        var declaration = pending.Declaration;
        options.Observer.On(new Trained(
            assignment.Id, declaration.LocalSteps, declaration.TrainingLoss ?? double.NaN, declaration.Extras.Values.Sum(e => e.Length) + declaration.Delta.Length));
        return await SettleAsync(pending, cancellation);
    }

    private async Task SumAsync(long assignment, SumInput input, CancellationToken cancellation)
    {
        options.Observer.On(new Trained(assignment, input.Steps, double.NaN, 0));
        SumResult result;
        guard?.Leaves(assignment);
        try
        {
            result = await sums.RunAsync(assignment, input, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await SayFarewellAsync(assignment);
            throw;
        }

        if (result.Outcome is not { } outcome)
        {
            await GiveUpAsync(assignment, new WorkResult(null, result.Reason, result.TellsCoordinator, null), cancellation);
            return;
        }

        (failuresInRow, trainerFailuresInRow) = (0, 0);
        options.Participation.OnTaskEnded(clock.GetUtcNow());
        (accepted, rejected) = outcome.Accepted ? (accepted + 1, rejected) : (accepted, rejected + 1);
        options.Observer.On(new Settled(assignment, outcome));
    }

    // Called when the work is done: what comes next is the policy's to say.
    private bool IsReadyForMore()
    {
        var now = clock.GetUtcNow();
        options.Participation.OnTaskEnded(now);
        return (options.MaxUpdates == 0 || accepted + rejected + 1 < options.MaxUpdates) && options.Participation.UntilReady(now) <= TimeSpan.Zero;
    }

    private async Task<CheckInReply?> SettleAsync(PendingUpdate pending, CancellationToken cancellation)
    {
        guard?.Leaves(pending.Assignment);
        var (outcome, isSettled) = await sender.SendAsync(pending, cancellation);
        if (outcome.Accepted)
        {
            store.Accept();
            accepted++;
        }
        else
        {
            store.Discard();
            guard?.Refused();
            rejected++;
        }

        options.Observer.On(new Settled(pending.Assignment, outcome));
        if (!isSettled)
        {
            // The assignment would come back at the next check-in, and so would what was wrong with its update.
            await FailAsync(pending.Assignment, $"the update was refused: {outcome.Detail}", cancellation);
            await Task.Delay(backoff.After(++failuresInRow, null), clock, cancellation);
        }

        return outcome.Next;
    }

    private async Task GiveUpAsync(long assignment, WorkResult result, CancellationToken cancellation)
    {
        givenUp++;
        options.Participation.OnTaskEnded(clock.GetUtcNow());
        options.Observer.On(new GivenUp(assignment, result.Reason));
        if (result.TellsCoordinator)
        {
            await FailAsync(assignment, result.Reason, cancellation);
        }

        trainerFailuresInRow = result.Error is null ? 0 : trainerFailuresInRow + 1;
        if (trainerFailuresInRow >= options.TrainerFailures)
        {
            throw new ClientException($"The work failed {trainerFailuresInRow} times in a row; the last time: {result.Reason.TrimEnd('.')}.", result.Error);
        }

        // The same may happen again at once; the coordinator must not be asked in a tight loop.
        await Task.Delay(backoff.After(++failuresInRow, null), clock, cancellation);
    }

    private async Task FailAsync(long assignment, string reason, CancellationToken cancellation)
    {
        try
        {
            await caller.CallAsync("giving up", options.RequestTimeout, (transport, c) => transport.FailAsync(options.Run, assignment, new FailRequest(reason), c), cancellation);
        }
        catch (ClientException e) when (e.Problem is { NeedsEnrolment: false, Type: not Problem.ProtocolVersion })
        {
            // It has ended already, one way or another.
        }
    }

    /// <summary>One short attempt to hand the assignment back, so that a round need not wait for this client's lease.</summary>
    private async Task SayFarewellAsync(long assignment)
    {
        using var limit = new CancellationTokenSource(Farewell, clock);
        try
        {
            await caller.Transport.FailAsync(options.Run, assignment, new FailRequest("the client was stopped"), limit.Token);
        }
        catch (Exception e) when (e is ClientException or OperationCanceledException)
        {
            // The lease will end by itself.
        }
    }

    private async Task EvaluateAsync(EvaluationMessage request, CancellationToken cancellation)
    {
        EvaluationReport? report;
        try
        {
            report = guard?.Requirements.KeepsScores == true ? null : await tasks.EvaluateAsync(request, cancellation); // A score tells of the data.
        }
        catch (Exception e) when (e is not OperationCanceledException && e is not ClientException { Problem.NeedsEnrolment: true })
        {
            report = null; // An evaluation is a favour: the client's own trouble with it stops nobody.
            options.Observer.On(new EvaluationFailed(request.Version, e.Message));
        }

        if (report is null)
        {
            // A coordinator asks once for each version; one that asks again is not to be answered in a tight loop.
            if (declined == request.Version)
            {
                await Task.Delay(backoff.After(++failuresInRow, null), clock, cancellation);
            }

            declined = request.Version;
            return;
        }

        try
        {
            await caller.CallAsync(
                "evaluation", options.RequestTimeout, (transport, c) => transport.ReportEvaluationAsync(options.Run, request.Version, report, c), cancellation);
            failuresInRow = 0;
            options.Observer.On(new Evaluated(request.Version, report));
        }
        catch (ClientException e) when (e.Problem is { NeedsEnrolment: false, Type: not Problem.ProtocolVersion } problem)
        {
            options.Observer.On(new EvaluationFailed(request.Version, problem.Detail)); // Too late, for example.
        }
    }

    /// <param name="polled">Whether the coordinator has had the time of a long poll to find work; if not, it is given that now.</param>
    private async Task WaitAsync(WaitMessage wait, bool polled, CancellationToken cancellation)
    {
        if (!polled)
        {
            options.Observer.On(new Waiting(wait.Reason, TimeSpan.Zero));
            return;
        }

        // Up to a tenth more than asked, so that those who were told the same come back apart.
        var seconds = Math.Clamp(wait.RetryAfterSeconds, ShortestWait.TotalSeconds, LongestWait.TotalSeconds) * (1 + (0.1 * random.NextDouble()));
        var delay = TimeSpan.FromSeconds(seconds);
        options.Observer.On(new Waiting(wait.Reason, delay));
        await Task.Delay(delay, clock, cancellation);
    }
}
