using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Protocol;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Utilities;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>A <see cref="RunHost"/> that lives on whichever silo the cluster chose, and moves when that one dies.</summary>
/// <remarks>
/// Nothing of a run is decided here. Should two silos briefly hold the same run, the log lets only one of them append: the other host is
/// fenced, and this activation leaves. A reminder brings the run back within a minute when its silo died, so that deadlines pass even
/// when no client calls.
/// </remarks>
[Reentrant] // The host has its own mailbox, in the order of calls; a long poll must not keep an update out.
internal sealed partial class RunGrain(
    RunHosting hosting, TimeProvider clock, ILogger<RunGrain> logger)
    : Grain, IRunGrain, IRemindable
{
    private const string KeepAlive = "keep-alive";
    private const int NoticesAtOnce = 1024;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly ObserverManager<IRunObserver> observers = new(TimeSpan.FromMinutes(1), logger);
    private RunHost? host;
    private RunFeed? feed;
    private IGrainTimer? pump;

    private string Id => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (await hosting.FindAsync(Id, cancellationToken) is { } entry)
        {
            await OpenAsync(entry, cancellationToken);
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        StopPump();
        if (host is not null)
        {
            await host.DisposeAsync();
            host = null;
        }
    }

    public async Task<string?> CreateAsync(byte[] configuration, BranchPoint? origin)
    {
        if (host is not null)
        {
            return $"There is a run '{Id}' already; choose another id.";
        }

        var entry = new RunEntry(
            Id, clock.GetUtcNow(), configuration, origin is null ? null : new RunOrigin(origin.Run, origin.Version, origin.Model));
        if (await hosting.CreateAsync(entry, CancellationToken.None) is { } problem)
        {
            return problem;
        }

        await OpenAsync(entry, CancellationToken.None);
        return null;
    }

    public async Task<bool> DeleteAsync()
    {
        if (host is null)
        {
            return false;
        }

        var closing = host;
        host = null;
        StopPump();
        await hosting.MarkDeletedAsync(closing.Entry, CancellationToken.None);
        await closing.DisposeAsync();
        await hosting.FinishDeletionAsync(Id, CancellationToken.None);
        await ForgetReminderAsync();
        DeactivateOnIdle();
        return true;
    }

    public Task<RunView?> ViewAsync() => Task.FromResult(Present()?.View);

    public Task<MetricPoint[]> MetricsAsync(long from) =>
        Task.FromResult<MetricPoint[]>(Present() is { } run ? [.. run.Metrics.Skip((int)Math.Clamp(from, 0, int.MaxValue))] : []);

    public Task<string[]> NamesAsync(ClientId[] clients) =>
        Task.FromResult<string[]>(Present() is { } run ? [.. clients.Select(run.NameOf)] : [.. clients.Select(_ => "")]);

    public Task<ClientId?> FindAsync(string member) => Task.FromResult(Present()?.Find(member));

    public async Task<Joined> JoinAsync(string member, double examples)
    {
        if (Present() is not { } run)
        {
            return new Joined(HostOutcome.Closed, default, Soon);
        }

        var (outcome, client, retryAfter) = await run.JoinAsync(member, examples);
        return new Joined(outcome, client, retryAfter);
    }

    public Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait, CancellationToken cancellation) => Present() is { } run
        ? run.CheckInAsync(client, Shorter(wait), cancellation)
        : Task.FromResult<CheckInResult>(new NotAsked(HostOutcome.Closed, Soon));

    public Task<SubmitResult> SubmitAsync(UpdateSubmission submission, CancellationToken cancellation) => Present() is { } run
        ? run.SubmitAsync(submission, cancellation)
        : Task.FromResult<SubmitResult>(new UpdateNotAsked(HostOutcome.Closed, Soon));

    public Task<GroupResult> SubmitGroupAsync(string group, UpdateSubmission[] members, CancellationToken cancellation) => Present() is { } run
        ? run.SubmitGroupAsync(group, members, cancellation)
        : Task.FromResult<GroupResult>(new GroupNotAsked(HostOutcome.Closed, Soon));

    public async Task<Watched> WatchAsync(AssignmentId assignment, ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        if (Present() is not { } run)
        {
            return new Watched(HostOutcome.Closed, default);
        }

        var (outcome, state) = await run.WatchAsync(assignment, client, Shorter(wait), cancellation);
        return new Watched(outcome, state);
    }

    public async Task<Posted> PostAsync(byte[] runEvent)
    {
        if (Present() is not { } run)
        {
            return new Posted(HostOutcome.Closed, [], Soon);
        }

        using var reader = new BinaryReader(new MemoryStream(runEvent, writable: false));
        var posted = await run.PostAsync(reader.ReadEvent());
        if (run.View.Status == RunStatus.Finished)
        {
            await ForgetReminderAsync();
        }

        return posted;
    }

    public Task<Posted> SaveAsync() => Present() is { } run ? run.SaveAsync() : Task.FromResult(new Posted(HostOutcome.Closed, [], Soon));

    public async Task<string[]?> ReferencedBlobsAsync() => Present() is { } run && await run.ReferencedBlobsAsync() is { } blobs ? [.. blobs] : null;

    public Task SubscribeAsync(IRunObserver observer)
    {
        observers.Subscribe(observer, observer);
        if (Present() is { } run && pump is null)
        {
            feed = run.Subscribe(NoticesAtOnce * 8);
            pump = this.RegisterGrainTimer(
                static (grain, _) => grain.PumpAsync(), this,
                new GrainTimerCreationOptions { DueTime = TimeSpan.FromMilliseconds(100), Period = TimeSpan.FromMilliseconds(100), Interleave = true });
        }

        return Task.CompletedTask;
    }

    public Task UnsubscribeAsync(IRunObserver observer)
    {
        observers.Unsubscribe(observer);
        return Task.CompletedTask;
    }

    /// <summary>Being activated is all that the reminder is for; a run that is over needs it no more.</summary>
    public Task ReceiveReminder(string reminderName, TickStatus status) =>
        Present() is not { } run || run.View.Status == RunStatus.Finished ? ForgetReminderAsync() : Task.CompletedTask;

    private async Task OpenAsync(RunEntry entry, CancellationToken cancellation)
    {
        host = await hosting.OpenAsync(entry, cancellation);
        LogOpened(Id, host.View.Host, host.View.Version);
        if (host.View.Status != RunStatus.Finished)
        {
            // A minute is the least that reminders can do; timers of the host are exact while it lives.
            await this.RegisterOrUpdateReminder(KeepAlive, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        }
    }

    /// <summary>The host, unless it has lost its run: then this activation leaves, and the next call finds another.</summary>
    private RunHost? Present()
    {
        if (host?.View.Host is HostState.Fenced or HostState.Closed)
        {
            LogLeft(Id, host.View.Problem);
            DeactivateOnIdle();
        }

        return host;
    }

    private async Task ForgetReminderAsync()
    {
        if (await this.GetReminder(KeepAlive) is { } reminder)
        {
            await this.UnregisterReminder(reminder);
        }
    }

    private async Task PumpAsync()
    {
        List<RunNotice> notices = [];
        while (feed is not null && notices.Count < NoticesAtOnce && feed.Reader.TryRead(out var notice))
        {
            notices.Add(notice);
        }

        observers.ClearExpired();
        if (observers.Count == 0)
        {
            StopPump();
        }
        else if (notices.Count > 0)
        {
            var batch = notices.ToArray();
            await observers.Notify(observer => observer.NoticesAsync(batch));
        }
    }

    private void StopPump()
    {
        pump?.Dispose();
        feed?.Dispose();
        (pump, feed) = (null, null);
    }

    private static TimeSpan Shorter(TimeSpan wait) => wait < IRunGrain.LongestCall ? wait : IRunGrain.LongestCall;

    [LoggerMessage(LogLevel.Information, "Run {Run} is {State} here, at version {Version}.")]
    private partial void LogOpened(string run, HostState state, int version);

    [LoggerMessage(LogLevel.Warning, "Run {Run} is served elsewhere; this silo lets it go: {Problem}")]
    private partial void LogLeft(string run, string problem);
}
