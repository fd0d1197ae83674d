using Federated.Client.Participation;
using Federated.Protocol.Wire;

namespace Federated.Client.Session;

/// <summary>
/// Watches an assignment while it is worked on: its lease, whether the coordinator still wants it, whether the device may go on. The first
/// that ends it cancels the work.
/// </summary>
internal sealed class WorkWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource work;
    private readonly CancellationTokenSource watching;
    private readonly Task[] watchers;
    private readonly TimeProvider clock;
    private string? reason;

    public WorkWatch(
        string run, AssignmentMessage assignment, Caller caller, IParticipationPolicy policy, FederatedClientOptions options, TimeProvider clock, CancellationToken cancellation)
    {
        this.clock = clock;
        work = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        watching = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        watchers = [Quietly(LeaseAsync(assignment.SecondsLeft)), Quietly(CoordinatorAsync(run, assignment.Id, caller, options)), Quietly(DeviceAsync(policy))];
    }

    /// <summary>Signalled when the work is to stop.</summary>
    public CancellationToken Token => work.Token;

    /// <summary>Why the work was stopped; null when it was not.</summary>
    public string? Reason => Volatile.Read(ref reason);

    /// <summary>Whether the coordinator has to be told: it does not know yet.</summary>
    public bool TellsCoordinator { get; private set; }

    public async ValueTask DisposeAsync()
    {
        watching.Cancel(); // What waits on it runs here and now, and is short.
        await Task.WhenAll(watchers);
        watching.Dispose();
        work.Dispose();
    }

    private async Task LeaseAsync(double? secondsLeft)
    {
        // A lease of months is none; the timer would not take it either.
        if (secondsLeft is { } seconds and < 4_000_000)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(0, seconds)), clock, watching.Token);
            Stop("the lease ended before the work was done", tells: false);
        }
    }

    private async Task CoordinatorAsync(string run, long assignment, Caller caller, FederatedClientOptions options)
    {
        await Task.Delay(options.WatchAfter, clock, watching.Token);
        while (true)
        {
            try
            {
                var state = await caller.CallAsync(
                    "state of the assignment",
                    options.WatchPoll + options.RequestTimeout,
                    (transport, c) => transport.GetAssignmentAsync(run, assignment, options.WatchPoll.TotalSeconds, c),
                    watching.Token);
                if (state.State != "open")
                {
                    Stop($"the coordinator wants it no longer ({state.State})", tells: false);
                    return;
                }
            }
            catch (ClientException e)
            {
                Stop(e.Message, tells: false);
                return;
            }
        }
    }

    private async Task DeviceAsync(IParticipationPolicy policy)
    {
        while (policy.WatchEvery is { } interval)
        {
            await Task.Delay(interval, clock, watching.Token);
            if (!policy.MayContinue(clock.GetUtcNow()))
            {
                Stop("the device is wanted back", tells: true);
                return;
            }
        }
    }

    private void Stop(string why, bool tells)
    {
        if (Interlocked.CompareExchange(ref reason, why, null) is null)
        {
            TellsCoordinator = tells;
            work.Cancel();
        }
    }

    private static async Task Quietly(Task watcher)
    {
        try
        {
            await watcher;
        }
        catch (OperationCanceledException)
        {
            // The work ended first.
        }
    }
}
