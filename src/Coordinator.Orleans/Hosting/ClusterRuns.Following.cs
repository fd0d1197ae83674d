using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Storage;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Orleans.Hosting;

/// <content>Which runs there are, and what happens in them: asked for at the catalog and at the runs, wherever they live.</content>
public sealed partial class ClusterRuns
{
    private ClusterRun Know(RunEntry entry)
    {
        for (;;)
        {
            if (known.TryGetValue(entry.Id, out var present))
            {
                if (present.Run.Entry.CreatedAt == entry.CreatedAt && !present.Run.IsGone)
                {
                    return present.Run;
                }

                Drop(present);
            }

            var grain = grains.GetGrain<IRunGrain>(entry.Id);
            var run = new ClusterRun(entry, factory.Create(entry.Configuration, store.Blobs), grain, door);
            var followed = new FollowedRun(run, grain, grains);
            if (known.TryAdd(entry.Id, followed))
            {
                _ = FollowAsync(followed);
                return run;
            }
        }
    }

    private ClusterRun? Forget(string id)
    {
        if (known.TryGetValue(id, out var gone))
        {
            Drop(gone);
        }

        return null;
    }

    private void Drop(FollowedRun gone)
    {
        gone.Run.IsGone = true;
        gone.Run.Mirror.Close();
        known.TryRemove(KeyValuePair.Create(gone.Run.Entry.Id, gone));
    }

    private async Task FollowLoopAsync()
    {
        using var timer = new PeriodicTimer(door.Options.CatalogPeriod, door.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token).ConfigureAwait(false))
            {
                try
                {
                    await ReconcileAsync(stopping.Token).ConfigureAwait(false);
                }
                catch (StorageException e)
                {
                    LogCatalog(e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    public async ValueTask LearnAsync(CancellationToken cancellation) =>
        await LearnAsync(await catalog.NamesAsync(cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    private async Task LearnAsync(IEnumerable<string> names, CancellationToken cancellation)
    {
        foreach (var name in names.Where(name => !known.ContainsKey(name)))
        {
            if (await catalog.FindAsync(name, cancellation).ConfigureAwait(false) is (var entry, false))
            {
                try
                {
                    Know(entry);
                }
                catch (CoordinatorException e)
                {
                    LogUnknown(entry.Id, e.Message); // Of a newer build, while a cluster is upgraded.
                }
            }
        }
    }

    /// <summary>Knows the runs that the catalog has, and asks for the news of those that are due.</summary>
    private async Task ReconcileAsync(CancellationToken cancellation)
    {
        var names = (await catalog.NamesAsync(cancellation).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
        foreach (var followed in known.Values.Where(f => f.Run.IsGone || !names.Contains(f.Run.Entry.Id)).ToList())
        {
            Drop(followed);
        }

        await LearnAsync(names, cancellation).ConfigureAwait(false);
        foreach (var followed in known.Values.Where(f => f.IsDue(door)))
        {
            _ = FollowAsync(followed);
        }
    }

    private async Task FollowAsync(FollowedRun followed)
    {
        if (!followed.TryBegin())
        {
            return;
        }

        try
        {
            if (await followed.Run.FollowAsync(followed.Observer).ConfigureAwait(false))
            {
                followed.Done(door.Clock);
            }
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or InvalidOperationException or ObjectDisposedException)
        {
            // On its way from one silo to another; asked again at the next look.
        }
        finally
        {
            followed.End();
        }
    }

    /// <summary>When a silo comes or goes, runs move: all of them are asked for their news again at once.</summary>
    private async Task NoticeSilosAsync()
    {
        try
        {
            var seen = new Dictionary<SiloAddress, SiloStatus>();
            await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stopping.Token).ConfigureAwait(false))
            {
                foreach (var member in snapshot.Members.Values)
                {
                    if (!seen.TryGetValue(member.SiloAddress, out var before) ? member.Status != SiloStatus.Dead : before != member.Status)
                    {
                        LogSilo(member.Name, member.SiloAddress.Endpoint.ToString(), member.Status);
                    }

                    seen[member.SiloAddress] = member.Status;
                }

                foreach (var followed in known.Values)
                {
                    followed.MakeDue();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    [LoggerMessage(LogLevel.Warning, "The catalog of runs cannot be read; runs made through other silos appear when it can: {Problem}")]
    private partial void LogCatalog(string problem);

    [LoggerMessage(LogLevel.Information, "Silo {Silo} at {Address} is {Status}.")]
    private partial void LogSilo(string silo, string address, SiloStatus status);

    [LoggerMessage(LogLevel.Warning, "Run {Run} cannot be served by this build: {Problem}")]
    private partial void LogUnknown(string run, string problem);
}
