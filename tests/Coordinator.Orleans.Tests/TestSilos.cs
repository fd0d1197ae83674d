using System.Collections.Concurrent;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Orleans.Identity;
using Federated.Coordinator.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.TestingHost;

namespace Federated.Coordinator.Orleans.Tests;

/// <summary>Silos in this process over one store in memory, and what their front doors work with.</summary>
internal sealed class TestSilos : IAsyncDisposable
{
    private readonly InProcessTestCluster cluster;

    private TestSilos(short silos, FrontDoorOptions frontDoor, Action<ISiloBuilder>? configure, IRunFactory? factory, bool kills)
    {
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.UseInMemoryReminderService()
                .AddFederatedRuns(Store, factory ?? Factory, new RunHostOptions { RecoveryGrace = 0, Durability = new DurabilityOptions { InlineBytes = 0, KeepEvery = 1 } }, frontDoor)
                .AddIncomingGrainCallFilter(call =>
                {
                    Calls.AddOrUpdate(call.MethodName, 1, static (_, n) => n + 1);
                    return call.Invoke();
                })
                .Configure<ClusterMembershipOptions>(o =>
                {
                    // A living silo must not be taken for a dead one, however busy the machine: what it knew of its clients would go.
                    o.ProbeTimeout = kills ? TimeSpan.FromSeconds(2) : TimeSpan.FromMinutes(2);
                    o.NumMissedProbesLimit = 3;
                    o.TableRefreshTimeout = TimeSpan.FromSeconds(1);
                    o.DefunctSiloCleanupPeriod = null;
                });
            configure?.Invoke(silo);
        });
        cluster = builder.Build();
    }

    public SharedStore Store { get; } = new();

    /// <summary>Calls of grains, by method.</summary>
    public ConcurrentDictionary<string, int> Calls { get; } = new(StringComparer.Ordinal);

    public TestFactory Factory { get; } = new();

    /// <summary>A lease of nothing, and no patience that ends: every question goes to the grains, and is answered by them.</summary>
    public static FrontDoorOptions FrontDoor { get; } = new() { StandingLease = TimeSpan.Zero, FailoverPatience = Eventually.Patience, LookPatience = Eventually.Patience };

    public IReadOnlyList<InProcessSiloHandle> Silos => cluster.Silos;

    /// <param name="kills">Whether silos are killed, and their death is to be noticed in seconds.</param>
    public static async Task<TestSilos> StartAsync(short silos, FrontDoorOptions? frontDoor = null, Action<ISiloBuilder>? configure = null, IRunFactory? factory = null, bool kills = false)
    {
        var made = new TestSilos(silos, frontDoor ?? FrontDoor, configure, factory, kills);
        await made.cluster.DeployAsync();
        return made;
    }

    public IGrainFactory Grains(int silo) => cluster.Silos[silo].ServiceProvider.GetRequiredService<IGrainFactory>();

    public ClusterRuns Door(int silo) => cluster.Silos[silo].ServiceProvider.GetRequiredService<ClusterRuns>();

    public async Task<ClusterIdentities> IdentitiesAsync(int silo, FrontDoorOptions? frontDoor = null, IdentityOptions? options = null)
    {
        var identities = new ClusterIdentities(options ?? new IdentityOptions(), frontDoor ?? FrontDoor, TimeProvider.System);
        await identities.OpenAsync(Grains(silo), default);
        return identities;
    }

    public Task KillAsync(int silo) => cluster.KillSiloAsync(cluster.Silos[silo]);

    public Task StopAsync(int silo) => cluster.StopSiloAsync(cluster.Silos[silo]);

    public async ValueTask DisposeAsync()
    {
        await cluster.StopAllSilosAsync();
        await cluster.DisposeAsync();
    }
}
