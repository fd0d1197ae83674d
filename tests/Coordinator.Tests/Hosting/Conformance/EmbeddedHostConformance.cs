using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting.Conformance;

/// <summary>One process over files; a kill loses whatever was not synced.</summary>
public sealed class EmbeddedHostConformance : HostConformance
{
    private protected override async Task<ITestHosts> StartAsync(TestFactory factory)
    {
        var hosts = new Embedded(factory);
        await hosts.OpenAsync();
        return hosts;
    }

    private sealed class Embedded(TestFactory factory) : ITestHosts
    {
        private static readonly RunHostOptions Options = new() { RecoveryGrace = 0, Durability = new DurabilityOptions { KeepEvery = 1 } };

        private readonly FaultyFileSystem disk = new(7);
        private readonly List<RunRegistry> dead = [];
        private MortalFileSystem process = null!;
        private volatile RunRegistry registry = null!;

        public IBlobStore Blobs => registry.Blobs;

        public async Task OpenAsync()
        {
            process = new MortalFileSystem(disk);
            registry = await RunRegistry.OpenAsync(new FileStore(process), factory, TimeProvider.System, Options, TimeSpan.Zero, default);
        }

        public async Task KillOneAsync()
        {
            process.Kill();
            dead.Add(registry);
            disk.Restart();
            await OpenAsync();
        }

        public async Task<ITestRun> CreateAsync(string id, ReadOnlyMemory<byte> configuration) => new Run(await registry.CreateAsync(id, configuration, default));

        public async Task<ITestRun> BranchAsync(string id, string from, int version) => new Run(await registry.BranchAsync(id, from, version, null, default));

        public Task<bool> DeleteAsync(string id) => registry.DeleteAsync(id, default);

        public Task<ITestRun?> FindAsync(string id) => Task.FromResult<ITestRun?>(registry.Find(id) is { } host ? new Run(host) : null);

        public async ValueTask DisposeAsync()
        {
            await registry.DisposeAsync();
            foreach (var one in dead)
            {
                await one.DisposeAsync();
            }
        }
    }

    private sealed class Run(RunHost host) : ITestRun
    {
        public async Task<(HostOutcome Outcome, ClientId Client)> JoinAsync(string member)
        {
            var (outcome, client, _) = await host.JoinAsync(member, 10);
            return (outcome, client);
        }

        public Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait) => host.CheckInAsync(client, wait, default);

        public Task<SubmitResult> SubmitAsync(UpdateSubmission submission) => host.SubmitAsync(submission, default);

        public Task<GroupResult> SubmitGroupAsync(string group, IReadOnlyList<UpdateSubmission> members) => host.SubmitGroupAsync(group, members, default);

        public async Task<HostOutcome> CommandAsync(OperatorAction action) => (await host.CommandAsync(action, "test")).Outcome;

        public async Task<HostOutcome> FailAsync(AssignmentId assignment, ClientId client) => (await host.FailAsync(assignment, client, "test")).Outcome;

        public Task<RunView?> ViewAsync() => Task.FromResult<RunView?>(host.View);
    }
}
