using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Shuffler;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

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
        silo.Services.AddSingleton(frontDoorOptions);
        silo.Services.AddSingleton(s => new RunHosting(store, factory, s.GetRequiredService<TimeProvider>(), runOptions, s.GetRequiredService<ILocalSiloDetails>().Name));
        silo.Services.AddSingleton(s => new ClusterRuns(
            s.GetRequiredService<IGrainFactory>(), store, factory, s.GetRequiredService<TimeProvider>(), frontDoorOptions, s.GetRequiredService<RunHosting>(),
            s.GetRequiredService<IClusterMembershipService>(), s.GetRequiredService<ILogger<ClusterRuns>>()));
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, RunDrain>();
        return silo;
    }

    /// <summary>Hosts a shuffler on this silo. The cluster is the shuffler's operator's own, who is not the coordinator's, and so are its store and keys.</summary>
    /// <param name="store">Shared by the silos; its owner disposes it after the silo has stopped.</param>
    /// <param name="keys">The same at every silo.</param>
    /// <param name="handler">Reaches the destination; the silo's from here on.</param>
    public static ISiloBuilder AddFederatedShuffler(this ISiloBuilder silo, IStore store, ShufflerOptions options, ShufflerKeys keys, HttpMessageHandler handler)
    {
        ArgumentNullException.ThrowIfNull(silo);
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton(s => new ShufflerHosting(store, options, keys, handler, s.GetRequiredService<TimeProvider>()));
        return silo;
    }

    /// <summary>
    /// When the silo stops in good order, its runs are closed first: long polls are let go at once instead of holding their grains for as long
    /// as they last, every run is saved, and other silos take over what the grains leave behind.
    /// </summary>
    private sealed class RunDrain(RunHosting hosting) : ILifecycleParticipant<ISiloLifecycle>
    {
        public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(
            nameof(RunDrain), ServiceLifecycleStage.Active, _ => Task.CompletedTask, _ => hosting.CloseAllAsync());
    }
}
