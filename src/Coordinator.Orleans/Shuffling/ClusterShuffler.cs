using Federated.Coordinator.Storage;
using Federated.Protocol.Shuffling;
using Federated.Shuffler;
using Federated.Shuffler.Batches;

namespace Federated.Coordinator.Orleans.Shuffling;

/// <summary>The shuffler of a cluster, for the front door of one of its silos. Asked once a second, so that it is somewhere as long as a silo lives, and its windows end. Thread-safe.</summary>
public sealed class ClusterShuffler : IShuffler
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(25);

    private readonly IShufflerGrain grain;
    private readonly ShufflerKeys keys;
    private readonly TimeProvider clock;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task looking;
    private volatile ShufflerLook seen;

    private ClusterShuffler(IShufflerGrain grain, ShufflerKeys keys, TimeProvider clock, ShufflerLook first)
    {
        (this.grain, this.keys, this.clock, seen) = (grain, keys, clock, first);
        looking = Task.Run(LookLoopAsync);
    }

    /// <summary>Called last when this is disposed.</summary>
    internal Func<Task> Leaving { get; set; } = () => Task.CompletedTask;

    public ShufflerTotals Totals => seen.Totals;

    public string Trouble => seen.Trouble;

    public bool IsReady => seen.IsReady && !stopping.IsCancellationRequested;

    /// <exception cref="ShufflerException">The silo that has the shuffler was started with other keys.</exception>
    /// <exception cref="StorageException">Nobody answers.</exception>
    public static async Task<ClusterShuffler> OpenAsync(IGrainFactory grains, string name, ShufflerKeys keys, TimeProvider clock, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(grains);
        ArgumentNullException.ThrowIfNull(keys);
        var grain = grains.GetGrain<IShufflerGrain>(name);
        var first = await Hosting.Patience.AskAsync(() => grain.LookAsync(keys.SealingKey), Patience, clock, cancellation).ConfigureAwait(false);
        return !first.HasOtherKeys ? new ClusterShuffler(grain, keys, clock, first) : throw new ShufflerException(
            $"The other processes of shuffler '{name}' have other keys. Copy keys.json from one of them: what is sealed to one key no other opens.");
    }

    public async Task<ReportOutcome?> TakeAsync(HeldReport report)
    {
        var form = HeldForm.Of(report);
        try
        {
            return await Hosting.Patience.AskAsync(() => grain.TakeAsync(form), Patience, clock, stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StorageException or OperationCanceledException)
        {
            return null;
        }
    }

    public Task<bool?> TakeBatchAsync(string id, ShuffleTicket terms, IReadOnlyList<HeldReport> reports) =>
        throw new ShufflerException("A shuffler of several processes takes reports of clients, and no batches of another shuffler.");

    public async ValueTask DisposeAsync()
    {
        if (!stopping.IsCancellationRequested)
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            await looking.ConfigureAwait(false);
            stopping.Dispose();
            await Leaving().ConfigureAwait(false);
        }
    }

    private async Task LookLoopAsync()
    {
        using var timer = new PeriodicTimer(Period, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token).ConfigureAwait(false))
            {
                try
                {
                    seen = await grain.LookAsync(keys.SealingKey).WaitAsync(stopping.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is OrleansException or TimeoutException or StorageException)
                {
                    seen = seen with { IsReady = false, Trouble = $"The shuffler is on its way from one process to another: {e.Message}" };
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }
}
