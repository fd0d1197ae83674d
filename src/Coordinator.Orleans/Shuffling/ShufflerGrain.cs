using Federated.Coordinator.Storage;
using Federated.Shuffler;
using Federated.Shuffler.Batches;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Shuffling;

/// <summary>A <see cref="ShufflerService"/> that lives on whichever silo the shuffler's own cluster chose, and moves when that one dies; what it holds is in a log of the store that the silos share.</summary>
/// <remarks>
/// It decides nothing: batches, permutations, tickets and deliveries are <see cref="ShufflerService"/>'s. Should two silos briefly have it, the log lets one of them write; the other refuses
/// reports and leaves. Both may send a batch that was closed before: the same bytes under the same id, which count once.
/// </remarks>
[Reentrant] // The service has a mailbox of its own; reports that wait for the same sync must not wait for each other.
internal sealed class ShufflerGrain(ShufflerHosting hosting) : Grain, IShufflerGrain
{
    private IRunLog log = null!;
    private LogDisk disk = null!;
    private ShufflerService service = null!;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        log = hosting.OpenLog(this.GetPrimaryKeyString());
        disk = await LogDisk.OpenAsync(log, cancellationToken);
        service = await Task.Run(() => hosting.Start(disk), cancellationToken); // It may wait for the store, which is no work for the grain's own thread.
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await service.DisposeAsync();
        await log.DisposeAsync();
    }

    public async Task<ReportOutcome?> TakeAsync(HeldForm report)
    {
        var outcome = await service.TakeAsync(report.ToReport());
        LeaveIfFenced();
        return outcome;
    }

    public Task<ShufflerLook> LookAsync(string sealingKey)
    {
        LeaveIfFenced();
        var totals = service.Totals;
        return Task.FromResult(new ShufflerLook(
            service.IsReady && !disk.IsFenced, service.Trouble, totals.Batches, totals.Dropped, totals.Reports, totals.Erased, sealingKey != hosting.Keys.SealingKey));
    }

    /// <summary>The next call finds the activation that has the log, or makes it.</summary>
    private void LeaveIfFenced()
    {
        if (disk.IsFenced)
        {
            DeactivateOnIdle();
        }
    }
}
