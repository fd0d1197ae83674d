using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Identity;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>A run of the cluster as a front door sees it, wherever its grain lives.</summary>
/// <remarks>
/// When the silo that had the run is gone, a call either fails or is answered with closed or unavailable; since every request is safe to
/// repeat, it is repeated until the run is found on another silo, for as long as <see cref="FrontDoorOptions.FailoverPatience"/>.
/// </remarks>
public sealed partial class ClusterRun : IRun
{
    /// <summary>Notices kept for a selector that is slow; after a gap everybody who waits here is asked for.</summary>
    private const int NoticesKept = 8192;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly IRunGrain grain;
    private readonly long made;
    private readonly ClusterDoor door;
    private readonly ISelectorGrain selector;
    private readonly IAggregatorGrain aggregator;
    private int polls, wakes;

    internal ClusterRun(RunEntry entry, RunParts parts, IRunGrain grain, ClusterDoor door) =>
        (Entry, Parts, this.grain, this.door, selector, aggregator, made) =
        (entry, parts, grain, door, door.Grains.GetGrain<ISelectorGrain>(entry.Id), door.Grains.GetGrain<IAggregatorGrain>(entry.Id), entry.CreatedAt.UtcTicks);

    public RunEntry Entry { get; }

    /// <summary>What the configuration says of the run, made on this silo: layout, training plan, limits. Its machine and model are at the beginning.</summary>
    public RunParts Parts { get; }

    public RunView View => Mirror.View;

    public IReadOnlyList<MetricPoint> Metrics => Mirror.Metrics;

    public IReadOnlyList<ClientScore> LastScores => Mirror.Scores;

    public int LobbyCount => Mirror.Lobby;

    /// <summary>A group is one message between silos, which take 100 MiB.</summary>
    public long GroupInlineBytes => 32L << 20;

    /// <summary>The run has been deleted; perhaps there is another of its name.</summary>
    public bool IsGone { get; internal set; }

    internal RunMirror Mirror { get; } = new();

    public async ValueTask<RunView> LookAsync(CancellationToken cancellation)
    {
        var reply = await AskAsync(run => run.LookAsync(made), r => r is null or { View.Host: HostState.Fenced or HostState.Closed }, null, door.Options.LookPatience, cancellation)
            .ConfigureAwait(false);
        if (reply is not null)
        {
            Mirror.Saw(reply.View, reply.Lobby);
        }

        return Mirror.View;
    }

    public async ValueTask<ClientId?> FindAsync(string member, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(member);
        if (Mirror.Find(member) is { } known)
        {
            return known;
        }

        var found = await AskAsync(run => run.FindAsync(made, member), _ => false, null, door.Options.FailoverPatience, cancellation).ConfigureAwait(false);
        if (found is { } client)
        {
            Mirror.Met(member, client);
        }

        return found;
    }

    public string NameOf(ClientId client) => Mirror.NameOf(client);

    public async ValueTask<int> EnterAsync(string member, string name, double examples, TimeSpan wait, CancellationToken cancellation)
    {
        var reply = await PollAsync(
            (run, slice, token) => run.EnterAsync(made, member, name, examples, slice, token), r => IsElsewhere(r.Outcome), r => r is { Outcome: HostOutcome.Done, Missing: > 0 },
            new Entered(HostOutcome.Unavailable, Parts.ExpectedClients), wait, cancellation).ConfigureAwait(false);
        return reply.Missing;
    }

    public async Task<(HostOutcome Outcome, ClientId Client, TimeSpan RetryAfter)> JoinAsync(string member, double examples)
    {
        var reply = await AskAsync(
            run => run.JoinAsync(made, member, examples), r => IsElsewhere(r.Outcome), new Joined(HostOutcome.Unavailable, default, Soon), door.Options.FailoverPatience, default)
            .ConfigureAwait(false);
        if (reply.Outcome == HostOutcome.Done)
        {
            Mirror.Met(member, reply.Client);
        }

        return (reply.Outcome, reply.Client, reply.RetryAfter);
    }

    public async Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref polls) > door.Options.PollQuota && Interlocked.Exchange(ref wakes, 1) == 0)
        {
            _ = WakeAsync(Mirror.Subscribe(NoticesKept));
        }

        try
        {
            var result = await PollAsync(
                (_, slice, token) => selector.CheckInAsync(made, client, slice, token),
                r => r is NotAsked { Outcome: var outcome } && IsElsewhere(outcome), r => r is Waiting, new NotAsked(HostOutcome.Unavailable, Soon), wait, cancellation).ConfigureAwait(false);
            if (result is Granted granted)
            {
                await NoteAsync(client, grain => grain.GrantedAsync(Entry.Id, client, granted.Assignment.Id)).ConfigureAwait(false);
            }

            return result;
        }
        finally
        {
            Interlocked.Decrement(ref polls);
        }
    }

    public async Task<SubmitResult> SubmitAsync(UpdateSubmission submission, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(submission);
        var (refusal, sent) = await CheckAsync(submission, cancellation).ConfigureAwait(false);
        if (refusal is not null)
        {
            return refusal;
        }

        var result = await AskAsync(
            run => run.SubmitAsync(made, sent, cancellation),
            r => r is UpdateNotAsked { Outcome: var outcome } && IsElsewhere(outcome), new UpdateNotAsked(HostOutcome.Unavailable, Soon), door.Options.FailoverPatience, cancellation)
            .ConfigureAwait(false);
        if (result is UpdateTaken)
        {
            await NoteAsync(submission.Client, grain => grain.TakenAsync(Entry.Id, submission.Client, submission.Assignment, submission.Report.LocalSteps)).ConfigureAwait(false);
        }

        return result;
    }

    public Task<GroupResult> SubmitGroupAsync(string group, IReadOnlyList<UpdateSubmission> members, CancellationToken cancellation)
    {
        UpdateSubmission[] sent = [.. members];
        return AskAsync(
            run => run.SubmitGroupAsync(made, group, sent, cancellation),
            r => r is GroupNotAsked { Outcome: var outcome } && IsElsewhere(outcome), new GroupNotAsked(HostOutcome.Unavailable, Soon), door.Options.FailoverPatience, cancellation);
    }

    public async Task<(HostOutcome Outcome, AssignmentState State)> WatchAsync(
        AssignmentId assignment, ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        var reply = await PollAsync(
            (run, slice, token) => run.WatchAsync(made, assignment, client, slice, token),
            r => IsElsewhere(r.Outcome), r => r is { Outcome: HostOutcome.Done, State.Standing: AssignmentStanding.Open },
            new Watched(HostOutcome.Unavailable, default), wait, cancellation).ConfigureAwait(false);
        return (reply.Outcome, reply.State);
    }

    /// <inheritdoc cref="RunHost.PostAsync"/>
    public Task<Posted> PostAsync(RunEvent runEvent)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.WriteEvent(runEvent);
        writer.Flush();
        var form = bytes.ToArray();
        return PostedAsync(run => run.PostAsync(made, form));
    }

    public Task<Posted> CommandAsync(OperatorAction action, string reason) => PostAsync(new OperatorCommand(0, action, reason));

    public Task<Posted> FailAsync(AssignmentId assignment, ClientId client, string reason) => PostAsync(new AssignmentFailed(0, assignment, client, reason));

    public Task<Posted> ReportAsync(int version, ClientScore score) => PostedAsync(run => run.ReportAsync(made, version, score));

    public Task<Posted> SaveAsync() => PostedAsync(run => run.SaveAsync(made));

    public async Task<IReadOnlyList<ClientFacts>?> ClientsAsync() =>
        await AskAsync(run => run.ClientsAsync(made), r => r is null, null, door.Options.LookPatience, default).ConfigureAwait(false);

    public async Task<RunSpending> SpendingAsync(int count) =>
        await AskAsync(run => run.SpendingAsync(made, count), r => r is null, null, door.Options.LookPatience, default).ConfigureAwait(false) ?? RunSpending.Nothing;

    public RunFeed Subscribe(int capacity) => Mirror.Subscribe(capacity);

    /// <summary>The digests of the blobs that this run needs; null when that is not known now.</summary>
    internal Task<string[]?> ReferencedBlobsAsync(CancellationToken cancellation) =>
        AskAsync(run => run.ReferencedBlobsAsync(made), r => r is null, null, door.Options.FailoverPatience, cancellation);

    /// <summary>Asks for news from here on, and for what is missing.</summary>
    /// <returns>False when the run is not there, as while it is being opened: it will tell nothing, not even that it is deleted.</returns>
    internal async Task<bool> FollowAsync(IRunObserver observer)
    {
        for (;;)
        {
            if (await grain.FollowAsync(made, observer, Mirror.Mark).ConfigureAwait(false) is not { } news)
            {
                return false;
            }

            if (!Mirror.Take(news) || news.Names.Length + news.Metrics.Length == 0)
            {
                return true;
            }
        }
    }

    /// <summary>
    /// Has an update checked on this silo, when its run is on another and its blobs are in the store: small ones travel with it, and are
    /// checked where they go.
    /// </summary>
    private async ValueTask<(SubmitResult? Refusal, UpdateSubmission Submission)> CheckAsync(UpdateSubmission submission, CancellationToken cancellation)
    {
        if (!door.Options.ChecksUpdates || submission.Report.LocalSteps <= 0 || Mirror.Silo == door.Silo || submission.Inline.Length > submission.Report.Extras.Count)
        {
            return (null, submission);
        }

        try
        {
            var found = await aggregator.CheckAsync(made, submission, cancellation).ConfigureAwait(false);
            return found.IsFinite is { } isFinite
                ? (found.Refusal, submission with { Report = submission.Report with { IsFinite = isFinite }, IsChecked = true })
                : (found.Refusal, submission);
        }
        catch (TimeoutException)
        {
            return (new UpdateNotAsked(HostOutcome.Busy, Soon), submission); // So many wait to be read here.
        }
        catch (OrleansException)
        {
            return (null, submission); // This silo stops.
        }
    }

    /// <summary>Tells the client's own grain, and does not wait for it.</summary>
    private Task NoteAsync(ClientId client, Func<IClientGrain, Task> note) =>
        Mirror.NameOf(client) is { Length: > 0 } member ? note(door.Grains.GetGrain<IClientGrain>(member)) : Task.CompletedTask;

    /// <summary>Tells the selector here whom the run has something for, for as long as the run is followed.</summary>
    private async Task WakeAsync(RunFeed feed)
    {
        await selector.WakeAsync(null).ConfigureAwait(false); // What happened before this door listened.
        var dropped = 0L;
        while (await feed.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            List<ClientId> clients = [];
            var everybody = feed.Dropped != dropped;
            dropped = feed.Dropped;
            while (feed.Reader.TryRead(out var notice))
            {
                clients.AddRange(notice.Effects.OfType<Dispatch>().Select(dispatch => dispatch.Assignment.Client));
                everybody |= notice.Effects.Any(effect => effect is Finish);
            }

            if (Volatile.Read(ref polls) > door.Options.PollQuota && (everybody || clients.Count > 0))
            {
                await selector.WakeAsync(everybody ? null : [.. clients]).ConfigureAwait(false);
            }
        }
    }

    private static bool IsElsewhere(HostOutcome outcome) => outcome is HostOutcome.Closed or HostOutcome.Unavailable;

    private Task<Posted> PostedAsync(Func<IRunGrain, Task<Posted>> ask) =>
        AskAsync(ask, r => IsElsewhere(r.Outcome), new Posted(HostOutcome.Unavailable, [], Soon), door.Options.FailoverPatience, default);

    /// <summary>
    /// A long poll, as several calls; let go when this silo stops. One that is answered before its time without news was ended by a newer one of the same client, and is not
    /// repeated: the two would end each other for ever.
    /// </summary>
    /// <param name="goesOn">Whether a reply says that nothing has happened yet.</param>
    private async Task<TReply> PollAsync<TReply>(
        Func<IRunGrain, TimeSpan, CancellationToken, Task<TReply>> ask, Func<TReply, bool> isElsewhere, Func<TReply, bool> goesOn, TReply unavailable, TimeSpan wait, CancellationToken cancellation)
    {
        var start = door.Clock.GetTimestamp();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, door.Leaving);
        try
        {
            for (;;)
            {
                var left = wait - door.Clock.GetElapsedTime(start);
                var slice = left < IRunGrain.LongestCall ? left : IRunGrain.LongestCall;
                var asked = door.Clock.GetTimestamp();
                var reply = await AskAsync(
                    run => ask(run, slice > TimeSpan.Zero ? slice : TimeSpan.Zero, ending.Token), isElsewhere, unavailable, door.Options.FailoverPatience, ending.Token).ConfigureAwait(false);
                if (!goesOn(reply) || door.Clock.GetElapsedTime(start) >= wait || door.Clock.GetElapsedTime(asked) + Soon < slice)
                {
                    return reply;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or OrleansException && !cancellation.IsCancellationRequested)
        {
            return unavailable; // This silo stops: it refuses calls even to itself.
        }
    }

    /// <summary>Asks the grain, again while the run is on its way from one silo to another.</summary>
    /// <param name="isElsewhere">Whether a reply says that the run is not where it was asked for.</param>
    /// <param name="unavailable">The reply when patience ends without any.</param>
    private async Task<TReply> AskAsync<TReply>(
        Func<IRunGrain, Task<TReply>> ask, Func<TReply, bool> isElsewhere, TReply unavailable, TimeSpan patience, CancellationToken cancellation)
    {
        var start = door.Clock.GetTimestamp();
        for (var pause = 0.02; ; pause = Math.Min(1, 2 * pause))
        {
            var reply = unavailable;
            try
            {
                reply = await ask(grain).ConfigureAwait(false);
                if (!isElsewhere(reply))
                {
                    return reply;
                }
            }
            catch (Exception e) when (e is OrleansException or TimeoutException && !cancellation.IsCancellationRequested)
            {
                // The silo died with the call; whether it was handled does not matter, as it may be repeated.
            }

            if (pause > 0.1 && !await door.IsThereAsync(this, cancellation).ConfigureAwait(false))
            {
                return unavailable;
            }

            if (door.Clock.GetElapsedTime(start) >= patience)
            {
                return reply;
            }

            await Task.Delay(TimeSpan.FromSeconds(pause), door.Clock, cancellation).ConfigureAwait(false);
        }
    }
}
