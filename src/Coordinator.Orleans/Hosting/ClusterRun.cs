using System.Collections.Concurrent;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>A run of the cluster as a front door sees it, wherever its grain lives.</summary>
/// <remarks>
/// When the silo that had the run is gone, a call either fails or is answered with closed or unavailable; since every request is safe to
/// repeat, it is repeated until the run is found on another silo, for as long as <see cref="FrontDoorOptions.FailoverPatience"/>.
/// </remarks>
public sealed class ClusterRun
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly IRunGrain grain;
    private readonly TimeProvider clock;
    private readonly FrontDoorOptions options;
    private readonly ConcurrentDictionary<string, ClientId> joined = new(StringComparer.Ordinal);

    internal ClusterRun(RunEntry entry, RunParts parts, IRunGrain grain, TimeProvider clock, FrontDoorOptions options) =>
        (Entry, Parts, this.grain, this.clock, this.options) = (entry, parts, grain, clock, options);

    public RunEntry Entry { get; }

    /// <summary>What the configuration says of the run, made on this silo: layout, training plan, limits. Its machine and model are at the beginning.</summary>
    public RunParts Parts { get; }

    /// <returns>Null when the run has been deleted.</returns>
    public Task<RunView?> ViewAsync(CancellationToken cancellation) =>
        AskAsync(run => run.ViewAsync(), view => view?.Host is HostState.Fenced or HostState.Closed or HostState.Opening, null, cancellation);

    /// <summary>The evaluations from an index on.</summary>
    public Task<MetricPoint[]> MetricsAsync(long from, CancellationToken cancellation) =>
        AskAsync(run => run.MetricsAsync(from), _ => false, [], cancellation);

    public async Task<ClientId?> FindAsync(string member, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(member);
        if (joined.TryGetValue(member, out var known))
        {
            return known;
        }

        var found = await AskAsync(run => run.FindAsync(member), _ => false, null, cancellation).ConfigureAwait(false);
        if (found is { } client)
        {
            joined[member] = client;
        }

        return found;
    }

    /// <inheritdoc cref="RunHost.NameOf"/>
    public Task<string[]> NamesAsync(ClientId[] clients, CancellationToken cancellation) =>
        AskAsync(run => run.NamesAsync(clients), _ => false, [.. clients.Select(_ => "")], cancellation);

    /// <inheritdoc cref="RunHost.JoinAsync"/>
    public async Task<(HostOutcome Outcome, ClientId Client, TimeSpan RetryAfter)> JoinAsync(string member, double examples, CancellationToken cancellation)
    {
        var reply = await AskAsync(
            run => run.JoinAsync(member, examples), r => IsElsewhere(r.Outcome), new Joined(HostOutcome.Unavailable, default, Soon), cancellation)
            .ConfigureAwait(false);
        if (reply.Outcome == HostOutcome.Done)
        {
            joined[member] = reply.Client;
        }

        return (reply.Outcome, reply.Client, reply.RetryAfter);
    }

    /// <inheritdoc cref="RunHost.CheckInAsync"/>
    public async Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        var start = clock.GetTimestamp();
        for (;;)
        {
            var left = wait - clock.GetElapsedTime(start);
            var slice = left < IRunGrain.LongestCall ? left : IRunGrain.LongestCall;
            var reply = await AskAsync(
                run => run.CheckInAsync(client, slice > TimeSpan.Zero ? slice : TimeSpan.Zero, cancellation),
                r => r is NotAsked { Outcome: var outcome } && IsElsewhere(outcome), new NotAsked(HostOutcome.Unavailable, Soon), cancellation).ConfigureAwait(false);
            if (reply is not Waiting || clock.GetElapsedTime(start) >= wait)
            {
                return reply;
            }
        }
    }

    /// <inheritdoc cref="RunHost.SubmitAsync"/>
    public Task<SubmitResult> SubmitAsync(UpdateSubmission submission, CancellationToken cancellation) => AskAsync(
        run => run.SubmitAsync(submission, cancellation),
        r => r is UpdateNotAsked { Outcome: var outcome } && IsElsewhere(outcome), new UpdateNotAsked(HostOutcome.Unavailable, Soon), cancellation);

    /// <inheritdoc cref="RunHost.SubmitGroupAsync"/>
    public Task<GroupResult> SubmitGroupAsync(string group, IReadOnlyList<UpdateSubmission> members, CancellationToken cancellation)
    {
        UpdateSubmission[] sent = [.. members];
        return AskAsync(
            run => run.SubmitGroupAsync(group, sent, cancellation),
            r => r is GroupNotAsked { Outcome: var outcome } && IsElsewhere(outcome), new GroupNotAsked(HostOutcome.Unavailable, Soon), cancellation);
    }

    /// <inheritdoc cref="RunHost.WatchAsync"/>
    public async Task<(HostOutcome Outcome, AssignmentState State)> WatchAsync(
        AssignmentId assignment, ClientId client, TimeSpan wait, CancellationToken cancellation)
    {
        var start = clock.GetTimestamp();
        for (;;)
        {
            var left = wait - clock.GetElapsedTime(start);
            var slice = left < IRunGrain.LongestCall ? left : IRunGrain.LongestCall;
            var reply = await AskAsync(
                run => run.WatchAsync(assignment, client, slice > TimeSpan.Zero ? slice : TimeSpan.Zero, cancellation),
                r => IsElsewhere(r.Outcome), new Watched(HostOutcome.Unavailable, default), cancellation).ConfigureAwait(false);
            if (reply is not { Outcome: HostOutcome.Done, State.Standing: AssignmentStanding.Open } || clock.GetElapsedTime(start) >= wait)
            {
                return (reply.Outcome, reply.State);
            }
        }
    }

    /// <inheritdoc cref="RunHost.PostAsync"/>
    public Task<Posted> PostAsync(RunEvent runEvent, CancellationToken cancellation)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.WriteEvent(runEvent);
        writer.Flush();
        var form = bytes.ToArray();
        return AskAsync(run => run.PostAsync(form), r => IsElsewhere(r.Outcome), new Posted(HostOutcome.Unavailable, [], Soon), cancellation);
    }

    /// <inheritdoc cref="RunHost.CommandAsync"/>
    public Task<Posted> CommandAsync(OperatorAction action, string reason, CancellationToken cancellation) =>
        PostAsync(new OperatorCommand(0, action, reason), cancellation);

    /// <inheritdoc cref="RunHost.FailAsync"/>
    public Task<Posted> FailAsync(AssignmentId assignment, ClientId client, string reason, CancellationToken cancellation) =>
        PostAsync(new AssignmentFailed(0, assignment, client, reason), cancellation);

    /// <inheritdoc cref="RunHost.SaveAsync"/>
    public Task<Posted> SaveAsync(CancellationToken cancellation) =>
        AskAsync(run => run.SaveAsync(), r => IsElsewhere(r.Outcome), new Posted(HostOutcome.Unavailable, [], Soon), cancellation);

    /// <summary>The digests of the blobs that this run needs; null when that is not known now.</summary>
    public Task<string[]?> ReferencedBlobsAsync(CancellationToken cancellation) => AskAsync(run => run.ReferencedBlobsAsync(), _ => false, null, cancellation);

    private static bool IsElsewhere(HostOutcome outcome) => outcome is HostOutcome.Closed or HostOutcome.Unavailable;

    /// <summary>Asks the grain, again while the run is on its way from one silo to another.</summary>
    /// <param name="isElsewhere">Whether a reply says that the run is not where it was asked for.</param>
    /// <param name="unavailable">The reply when patience ends without any.</param>
    private async Task<TReply> AskAsync<TReply>(
        Func<IRunGrain, Task<TReply>> ask, Func<TReply, bool> isElsewhere, TReply unavailable, CancellationToken cancellation)
    {
        var start = clock.GetTimestamp();
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

            if (clock.GetElapsedTime(start) >= options.FailoverPatience)
            {
                return reply;
            }

            await Task.Delay(TimeSpan.FromSeconds(pause), clock, cancellation).ConfigureAwait(false);
        }
    }
}
