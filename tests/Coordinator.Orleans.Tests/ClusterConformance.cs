using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Hosting.Conformance;
using Federated.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.TestingHost;

namespace Federated.Coordinator.Orleans.Tests;

/// <summary>The conformance suite on a cluster of silos in this process, killed one by one; a killed silo's hosts go on as ghosts until the log fences them.</summary>
public abstract class ClusterConformance(short silos, int pollQuota = 256) : HostConformance
{
    protected override TimeSpan Patience => Eventually.Patience;

    private protected override async Task<ITestHosts> StartAsync(TestFactory factory)
    {
        var hosts = new Cluster(silos, pollQuota, factory);
        await hosts.StartAsync();
        return hosts;
    }

    private sealed class Cluster : ITestHosts
    {
        private static readonly RunHostOptions RunOptions = new() { RecoveryGrace = 0, Durability = new DurabilityOptions { InlineBytes = 0, KeepEvery = 1 } };

        private readonly SharedStore store = new();
        private readonly InProcessTestCluster cluster;
        private int turn;

        public Cluster(short silos, int pollQuota, TestFactory factory)
        {
            var builder = new InProcessTestClusterBuilder(silos);
            builder.ConfigureSilo((_, silo) => silo
                .UseInMemoryReminderService()
                .AddFederatedRuns(store, factory, RunOptions, new FrontDoorOptions { PollQuota = pollQuota })
                .Configure<ClusterMembershipOptions>(o =>
                {
                    o.ProbeTimeout = TimeSpan.FromSeconds(3);
                    o.NumMissedProbesLimit = 3;
                    o.TableRefreshTimeout = TimeSpan.FromSeconds(2);
                    o.DefunctSiloCleanupPeriod = null;
                }));
            cluster = builder.Build();
        }

        public IBlobStore Blobs => store;

        /// <summary>A front door on a silo that lives, in turn.</summary>
        private ClusterRuns Door
        {
            get
            {
                for (;;)
                {
                    var living = cluster.Silos;
                    try
                    {
                        return living[(int)((uint)Interlocked.Increment(ref turn) % living.Count)].ServiceProvider.GetRequiredService<ClusterRuns>();
                    }
                    catch (ObjectDisposedException)
                    {
                        // Killed between the list and the door.
                    }
                }
            }
        }

        public Task StartAsync() => cluster.DeployAsync();

        public async Task KillOneAsync()
        {
            var victim = cluster.Silos[(int)((uint)Interlocked.Increment(ref turn) % cluster.Silos.Count)];
            await cluster.KillSiloAsync(victim);
            await cluster.StartAdditionalSiloAsync();
        }

        public async Task<ITestRun> CreateAsync(string id, ReadOnlyMemory<byte> configuration)
        {
            await Door.CreateAsync(id, configuration, default);
            return new Run(this, id);
        }

        public async Task<ITestRun> BranchAsync(string id, string from, int version)
        {
            await Door.BranchAsync(id, from, version, null, default);
            return new Run(this, id);
        }

        public Task<bool> DeleteAsync(string id) => Door.DeleteAsync(id, default);

        public async Task<ITestRun?> FindAsync(string id) => await Door.FindAsync(id, default) is null ? null : new Run(this, id);

        public async ValueTask DisposeAsync()
        {
            await cluster.StopAllSilosAsync();
            await cluster.DisposeAsync();
        }

        /// <summary>Asks through another front door each time; one that dies under a request is as a connection that breaks.</summary>
        private sealed class Run(Cluster cluster, string id) : ITestRun
        {
            private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(10);

            public Task<(HostOutcome Outcome, ClientId Client)> JoinAsync(string member) => AskAsync<(HostOutcome, ClientId)>(
                async run =>
                {
                    var (outcome, client, _) = await run.JoinAsync(member, 10);
                    return (outcome, client);
                },
                (HostOutcome.Unavailable, default));

            public Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait) =>
                AskAsync(run => run.CheckInAsync(client, wait, default), new NotAsked(HostOutcome.Unavailable, Soon));

            public Task<SubmitResult> SubmitAsync(UpdateSubmission submission) => AskAsync(
                async run =>
                {
                    await StoreAsync(submission);
                    return await run.SubmitAsync(submission with { Inline = [] }, default);
                },
                new UpdateNotAsked(HostOutcome.Unavailable, Soon));

            public Task<GroupResult> SubmitGroupAsync(string group, IReadOnlyList<UpdateSubmission> members) => AskAsync<GroupResult>(
                async run =>
                {
                    foreach (var member in members)
                    {
                        await StoreAsync(member);
                    }

                    return await run.SubmitGroupAsync(group, [.. members.Select(m => m with { Inline = [] })], default);
                },
                new GroupNotAsked(HostOutcome.Unavailable, Soon));

            public Task<HostOutcome> CommandAsync(OperatorAction action) =>
                AskAsync(async run => (await run.CommandAsync(action, "test")).Outcome, HostOutcome.Unavailable);

            public Task<HostOutcome> FailAsync(AssignmentId assignment, ClientId client) =>
                AskAsync(async run => (await run.FailAsync(assignment, client, "test")).Outcome, HostOutcome.Unavailable);

            public Task<RunView?> ViewAsync() => AskAsync<RunView?>(async run => await run.LookAsync(default), null);

            private async Task StoreAsync(UpdateSubmission submission)
            {
                foreach (var (reference, bytes) in submission.Inline)
                {
                    await using var writer = await cluster.Blobs.CreateAsync(default);
                    await writer.WriteAsync(bytes, default);
                    await writer.CommitAsync(reference, default);
                }
            }

            private async Task<TReply> AskAsync<TReply>(Func<ClusterRun, Task<TReply>> ask, TReply broken)
            {
                try
                {
                    return await cluster.Door.FindAsync(id, default) is { } run ? await ask(run) : broken;
                }
                catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException or OperationCanceledException)
                {
                    return broken;
                }
            }
        }
    }
}

public sealed class TwoSiloConformance() : ClusterConformance(2);

public sealed class FourSiloConformance() : ClusterConformance(4);

/// <summary>No check-in waits at its run: all are told to it in batches and wait at the selectors.</summary>
public sealed class HeldConformance() : ClusterConformance(2, pollQuota: 0);
