using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>Adds the runs of a coordinator to a silo.</summary>
public static class SiloBuilderExtensions
{
    /// <summary>Hosts runs on this silo, over a store that all silos of the cluster share. Needs a reminder service and a membership table besides.</summary>
    /// <param name="store">Of this silo; its owner disposes it after the silo has stopped.</param>
    public static ISiloBuilder AddFederatedRuns(
        this ISiloBuilder silo, IStore store, IRunFactory factory, RunHostOptions runOptions, FrontDoorOptions frontDoorOptions)
    {
        ArgumentNullException.ThrowIfNull(silo);
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.TryAddSingleton(new IdentityOptions());
        silo.Services.AddSingleton(store);
        silo.Services.AddSingleton(s => new RunHosting(store, factory, s.GetRequiredService<TimeProvider>(), runOptions));
        silo.Services.AddSingleton(s => new ClusterRuns(
            s.GetRequiredService<IGrainFactory>(), store, factory, s.GetRequiredService<TimeProvider>(), frontDoorOptions));
        return silo;
    }
}
