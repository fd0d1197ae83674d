using Federated.Privacy.Statements;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Utilities;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>A <see cref="RunHost"/> that lives on whichever silo the cluster chose, and moves when that one dies.</summary>
/// <remarks>
/// Nothing of a run is decided here. Should two silos briefly hold the same run, the log lets only one of them append: the other host is
/// fenced, and this activation leaves. A reminder brings the run back within a minute when its silo died, so that deadlines, which stand in
/// the run's state and are timed by its host, pass even when no client calls.
/// </remarks>
[Reentrant] // The host has its own mailbox, in the order of calls; a long poll must not keep an update out.
internal sealed partial class RunGrain(RunHosting hosting, TimeProvider clock, ILogger<RunGrain> logger) : Grain, IRunGrain, IRemindable, IDisposable
{
    private const string KeepAlive = "keep-alive";

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly ObserverManager<IRunObserver> observers = new(TimeSpan.FromMinutes(1), logger);

    /// <summary>Calls interleave at every await: creation and deletion take turns, or two hosts would be opened.</summary>
    private readonly SemaphoreSlim changing = new(1, 1);

    private RunHost? host;
    private RunPump? pump;

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
        pump?.Stop();
        if (host is { } leaving)
        {
            host = null;
            await hosting.CloseAsync(leaving);
        }
    }

    public void Dispose() => changing.Dispose();

    public async Task<string?> CreateAsync(byte[] configuration, BranchPoint? origin)
    {
        await changing.WaitAsync();
        try
        {
            var taken = $"There is a run '{Id}' already; choose another id.";
            if (host is { } present)
            {
                if (await hosting.FindAsync(Id, CancellationToken.None) is not null)
                {
                    return taken;
                }

                host = null; // Of a run that was deleted elsewhere, while silos disagreed about who lives.
                pump?.Stop();
                await hosting.CloseAsync(present);
            }

            var entry = RunEntry.New(
                Id, clock.GetUtcNow(), configuration, origin is null ? null : new RunOrigin(
                    origin.Run, origin.Version, origin.Model,
                    origin.Inherited is { } inherited ? RunCatalog.InheritanceOf(inherited) : new PrivacyInheritance(origin.Run, origin.Version, InheritanceBasis.Unknown)) { Optimizer = origin.Optimizer });
            if (hosting.ProblemOf(entry) is { } problem)
            {
                return problem;
            }

            if (!await hosting.CreateAsync(entry, CancellationToken.None))
            {
                return taken; // Another activation was quicker, as happens while silos come and go.
            }

            await OpenAsync(entry, CancellationToken.None);
            return null;
        }
        finally
        {
            changing.Release();
        }
    }

    public async Task<bool> DeleteAsync()
    {
        await changing.WaitAsync();
        try
        {
            // The catalog's word, not the host's: after a split this may be the host of a run that was deleted, and its name given to another.
            if (await hosting.FindAsync(Id, CancellationToken.None) is not { } entry)
            {
                Present(long.MaxValue);
                return false;
            }

            await hosting.MarkDeletedAsync(entry, CancellationToken.None);
            pump?.Stop();
            if (host is { } closing)
            {
                host = null;
                await hosting.CloseAsync(closing);
            }

            await hosting.FinishDeletionAsync(entry, CancellationToken.None);
            await ForgetReminderAsync();
            await observers.Notify(observer => observer.GoneAsync(entry.CreatedAt.UtcTicks)); // No front door gives it out any more.
            observers.Clear();
            return true;
        }
        finally
        {
            changing.Release();
        }
    }

    public Task<Looked?> LookAsync(long made) => Task.FromResult(Present(made) is { } run ? new Looked(run.View, run.LobbyCount) : null);

    public async Task<RunSpending?> SpendingAsync(long made, int count) => Present(made) is { } run ? await run.SpendingAsync(count) : null;

    public async Task<ClientFacts[]?> ClientsAsync(long made) => Present(made) is { } run && await run.ClientsAsync() is { } clients ? [.. clients] : null;

    public Task<ClientId?> FindAsync(long made, string member) => Task.FromResult(Present(made)?.Find(member));

    public async Task<Entered> EnterAsync(long made, string member, string name, double examples, TimeSpan wait, CancellationToken cancellation) => Present(made) is { } run
        ? new Entered(HostOutcome.Done, await run.EnterAsync(member, name, examples, Shorter(wait), cancellation))
        : new Entered(HostOutcome.Closed, 0);

    public async Task<Joined> JoinAsync(long made, string member, double examples)
    {
        if (Present(made) is not { } run)
        {
            return new Joined(HostOutcome.Closed, default, Soon);
        }

        var (outcome, client, retryAfter) = await run.JoinAsync(member, examples);
        return new Joined(outcome, client, retryAfter);
    }

    public Task<CheckInResult> CheckInAsync(long made, ClientId client, TimeSpan wait, CancellationToken cancellation) => Present(made) is { } run
        ? run.CheckInAsync(client, Shorter(wait), cancellation)
        : Task.FromResult<CheckInResult>(new NotAsked(HostOutcome.Closed, Soon));

    public Task<CheckInResult[]> CheckInManyAsync(long made, ClientId[] clients) => Present(made) is { } run
        ? Task.WhenAll(clients.Select(client => run.CheckInAsync(client, TimeSpan.Zero, CancellationToken.None)))
        : Task.FromResult<CheckInResult[]>([.. clients.Select(_ => new NotAsked(HostOutcome.Closed, Soon))]);

    /// <remarks>Blobs are read and checked outside of the grain's turns, which other clients of the run wait for.</remarks>
    public Task<SubmitResult> SubmitAsync(long made, UpdateSubmission submission, CancellationToken cancellation) => Present(made) is { } run
        ? Task.Run(() => run.SubmitAsync(submission, cancellation))
        : Task.FromResult<SubmitResult>(new UpdateNotAsked(HostOutcome.Closed, Soon));

    public Task<GroupResult> SubmitGroupAsync(long made, string group, UpdateSubmission[] members, CancellationToken cancellation) => Present(made) is { } run
        ? Task.Run(() => run.SubmitGroupAsync(group, members, cancellation))
        : Task.FromResult<GroupResult>(new GroupNotAsked(HostOutcome.Closed, Soon));

    public async Task<Watched> WatchAsync(long made, AssignmentId assignment, ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        if (Present(made) is not { } run)
        {
            return new Watched(HostOutcome.Closed, default);
        }

        var (outcome, state) = await run.WatchAsync(assignment, client, Shorter(wait), cancellation);
        return new Watched(outcome, state);
    }

    public async Task<Posted> PostAsync(long made, byte[] runEvent)
    {
        if (Present(made) is not { } run)
        {
            return Absent;
        }

        using var reader = new BinaryReader(new MemoryStream(runEvent, writable: false));
        return await run.PostAsync(reader.ReadEvent());
    }

    public Task<Posted> ReportAsync(long made, int version, ClientScore score) =>
        Present(made) is { } run ? run.ReportAsync(version, score) : Task.FromResult(Absent);

    public Task<Posted> SaveAsync(long made) => Present(made) is { } run ? run.SaveAsync() : Task.FromResult(Absent);

    public async Task<string[]?> ReferencedBlobsAsync(long made) =>
        Present(made) is { } run && await run.ReferencedBlobsAsync() is { } blobs ? [.. blobs] : null;

    public Task<RunNews?> FollowAsync(long made, IRunObserver observer, NewsMark have)
    {
        if (Present(made) is not { } run)
        {
            return Task.FromResult<RunNews?>(null);
        }

        // Subscribed first, read second: what happens in between comes twice, and never not at all.
        run.Observe();
        observers.Subscribe(observer, observer);
        if (pump is not { IsRunning: true } present || present.Run != run)
        {
            pump = new RunPump(run, observers, hosting.Silo, clock);
        }

        return Task.FromResult<RunNews?>(RunPump.Since(run, have, [], hosting.Silo));
    }

    public Task UnfollowAsync(IRunObserver observer)
    {
        observers.Unsubscribe(observer);
        return Task.CompletedTask;
    }

    /// <summary>Being activated is all that the reminder is for; a run that is over needs it no more.</summary>
    public Task ReceiveReminder(string reminderName, TickStatus status) =>
        host is null || (Present(host.Entry.CreatedAt.UtcTicks) is { } run && run.View.Status == RunStatus.Finished) ? ForgetReminderAsync() : Task.CompletedTask;

    private static Posted Absent { get; } = new(HostOutcome.Closed, [], Soon);

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

    /// <summary>The host of the run that is meant. One that has lost its run, or has the one before, makes this activation leave: the next call finds another.</summary>
    private RunHost? Present(long made)
    {
        if (host is not null && (host.View.Host is HostState.Fenced or HostState.Closed || host.Entry.CreatedAt.UtcTicks < made))
        {
            LogLeft(Id, host.View.Problem);
            DeactivateOnIdle();
        }

        return host?.Entry.CreatedAt.UtcTicks == made ? host : null;
    }

    private async Task ForgetReminderAsync()
    {
        if (await this.GetReminder(KeepAlive) is { } reminder)
        {
            await this.UnregisterReminder(reminder);
        }
    }

    private static TimeSpan Shorter(TimeSpan wait) => wait < IRunGrain.LongestCall ? wait : IRunGrain.LongestCall;

    [LoggerMessage(LogLevel.Information, "Run {Run} is {State} here, at version {Version}.")]
    private partial void LogOpened(string run, HostState state, int version);

    [LoggerMessage(LogLevel.Warning, "Run {Run} is served elsewhere; this silo lets it go: {Problem}")]
    private partial void LogLeft(string run, string problem);
}
