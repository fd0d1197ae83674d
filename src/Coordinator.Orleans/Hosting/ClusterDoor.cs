using Federated.Coordinator.Hosting;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>What the runs of one front door share.</summary>
internal sealed class ClusterDoor(IGrainFactory grains, RunCatalog catalog, TimeProvider clock, FrontDoorOptions options, string silo) : IDisposable
{
    private readonly CancellationTokenSource leaving = new();

    public IGrainFactory Grains => grains;

    public TimeProvider Clock => clock;

    public FrontDoorOptions Options => options;

    /// <summary>Names this silo.</summary>
    public string Silo => silo;

    /// <summary>Set when this silo stops: long polls are let go.</summary>
    public CancellationToken Leaving => leaving.Token;

    public Task LeaveAsync() => leaving.CancelAsync();

    /// <summary>Whether the catalog still has this very run.</summary>
    public async ValueTask<bool> IsThereAsync(ClusterRun run, CancellationToken cancellation)
    {
        run.IsGone |= await catalog.FindAsync(run.Entry.Id, cancellation).ConfigureAwait(false) is not (var entry, false) || entry.CreatedAt != run.Entry.CreatedAt;
        return !run.IsGone;
    }

    public void Dispose() => leaving.Dispose();
}
