using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Storage;
using Microsoft.AspNetCore.Builder;

namespace Federated.Coordinator.Http;

/// <summary>Where a server's runs are hosted: in its own process, or in a cluster that it is a part of.</summary>
public interface IRunSource
{
    /// <summary>Identities that are shared with others, usable when <see cref="OpenAsync"/> has completed; null for those in the server's own folder.</summary>
    IIdentities? Identities => null;

    /// <summary>Tells this process from others that serve the same runs; empty when there are none.</summary>
    string Instance => "";

    /// <summary>Meters beside the coordinator's own that are worth exporting.</summary>
    IReadOnlyList<string> Meters => [];

    /// <summary>
    /// How long what another process of the same store has taken back may be believed here; null where there is no other. Where there are, what all of them need to
    /// know stands in the store and not in a folder of this one.
    /// </summary>
    TimeSpan? SharedLease => null;

    void AddServices(WebApplicationBuilder builder);

    /// <summary>Called when the server listens; it is ready when this completes.</summary>
    /// <param name="opened">Told of every run that this process comes to host; null when nobody wants to know.</param>
    Task<IRuns> OpenAsync(IServiceProvider services, Action<RunHost>? opened, CancellationToken cancellation);
}

/// <summary>Hosts all runs of a store in this process.</summary>
internal sealed class LocalRunSource(IStore store, IRunFactory factory, CoordinatorOptions options, TimeProvider clock) : IRunSource
{
    public void AddServices(WebApplicationBuilder builder)
    {
    }

    public async Task<IRuns> OpenAsync(IServiceProvider services, Action<RunHost>? opened, CancellationToken cancellation) =>
        await RunRegistry.OpenAsync(store, factory, clock, options.Host, TimeSpan.FromSeconds(options.SweepSeconds), cancellation, opened).ConfigureAwait(false);
}
