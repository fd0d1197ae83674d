using System.Collections.Concurrent;
using System.Globalization;
using Federated.Aggregation.Parameters;
using Federated.Client;
using Federated.Client.Store;
using Federated.Client.Training;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol;
using Federated.Protocol.Wire;
using Federated.Simulation.Serving;

namespace Federated.Simulation.Tests.Serving;

/// <summary>A coordinator in this process that can be started again over its store, and clients with updates that a test knows.</summary>
internal sealed class SumWorld : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string folder = Directory.CreateTempSubdirectory("federated-sums-").FullName;
    private readonly byte[] configuration;
    private readonly ExperimentRunFactory factory;
    private readonly MemoryModelCache cache = new(1 << 24);
    private readonly LeapingTime time = new();
    private readonly ConcurrentQueue<string> taken = new();
    private FileStore? store;
    private RunRegistry? registry;

    private SumWorld(string privacy, string strategy, int clients, string run)
    {
        Clients = clients;
        factory = new ExperimentRunFactory(folder);
        configuration = factory.Read(
            $$"""
            name: sums
            seed: 3
            data: { source: { kind: drawn-digits, writers: {{clients}}, trainPerWriter: 4, testPerWriter: 1, size: 12 } }
            model: { kind: softmax }
            training: { kind: local, steps: 2, batchSize: 4 }
            strategy: {{strategy}}
            run: {{run}}
            clients: { count: {{clients}} }
            privacy: {{privacy}}
            """,
            []);
    }

    public int Clients { get; }

    public RunHost Host { get; private set; } = null!;

    public RunRegistry Registry => registry!;

    public bool IsDown { get; private set; }

    /// <summary>Every step's body that a coordinator was sent: who, which step, what.</summary>
    public ConcurrentQueue<(int Client, string Step, byte[] Body)> Received { get; } = new();

    public string Folder => folder;

    /// <summary>Ends the phase that the session is in. Deadlines are so far away that nobody who is alive misses one, however slow the machine.</summary>
    public void EndPhase() => time.Leap(TimeSpan.FromSeconds(1000));

    /// <summary>Waits until so many have been answered that their step was taken.</summary>
    public async Task UntilReceivedAsync(string step, int count)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (taken.Count(one => one == step) < count)
        {
            await Task.Delay(5, limit.Token);
        }
    }

    public static async Task<SumWorld> OpenAsync(string privacy, string strategy, int clients, string run = "{ stop: { versions: 1 }, evaluateEvery: 0 }")
    {
        var world = new SumWorld(privacy, strategy, clients, run);
        await world.StartAsync(isNew: true);
        return world;
    }

    public static string NameOf(int client) => string.Create(CultureInfo.InvariantCulture, $"member-{client:D3}");

    /// <summary>The coordinator ends with everything that it had in memory, and another one opens its store.</summary>
    public async Task RestartAsync()
    {
        IsDown = true;
        await registry!.DisposeAsync();
        await store!.DisposeAsync();
        await StartAsync(isNew: false);
        IsDown = false;
    }

    /// <summary>Takes part until the run is over, or the token ends it.</summary>
    /// <param name="before">Called before a step is sent; one that waits for its token has dropped out.</param>
    /// <param name="knownMembers">The client's own directory of who the others are; null to take the coordinator's word.</param>
    public async Task<SessionSummaryOrGone> TakePartAsync(
        int client, CancellationToken cancellation, Func<string, CancellationToken, Task>? before = null, Func<string, ReadOnlyMemory<byte>, bool>? knownMembers = null)
    {
        var options = new FederatedClientOptions
        {
            Run = "sums", Name = NameOf(client), FirstRetry = TimeSpan.FromMilliseconds(30), LastRetry = TimeSpan.FromMilliseconds(300), LongPoll = TimeSpan.FromSeconds(2),
            KnownMembers = knownMembers,
        };
        await using var sdk = new FederatedClient(options, new Wire(this, client, before), new MemoryClientStore(cache), TimeProvider.System);
        try
        {
            var summary = await sdk.RunAsync(new PatternTrainer(client), cancellation);
            return new SessionSummaryOrGone(summary.Accepted, summary.Rejected, summary.GivenUp);
        }
        catch (OperationCanceledException)
        {
            return new SessionSummaryOrGone(0, 0, 0);
        }
    }

    /// <summary>The update of a client: the same at every version.</summary>
    public static float[] UpdateOf(int client, int d) => [.. Enumerable.Range(0, d).Select(j => 0.01f * (client + 1) * ((((j * 7) + (client * 13)) % 11) - 5))];

    /// <summary>The mean of clients' updates on the run's grid.</summary>
    public float[] MeanOf(IReadOnlyCollection<int> clients)
    {
        var plan = Host.Parts.SecureSum!.Plan;
        var encoding = (FixedPointSum<float>)plan.CreateEncoding<float>();
        var sum = new uint[encoding.Length];
        foreach (var client in clients)
        {
            var words = WordsOf(client);
            for (var j = 0; j < sum.Length; j++)
            {
                sum[j] += words[j];
            }
        }

        var kept = uint.MaxValue >> (32 - encoding.Bits);
        var mean = new float[plan.Dimension];
        encoding.Decode([.. sum.Select(w => w & kept)], clients.Count, [], mean);
        return mean;
    }

    /// <summary>What a client puts into a sum, before it is masked.</summary>
    public uint[] WordsOf(int client)
    {
        var plan = Host.Parts.SecureSum!.Plan;
        var encoding = plan.CreateEncoding<float>();
        var words = new uint[encoding.Length];
        encoding.Encode(UpdateOf(client, plan.Dimension), plan.ShareOf(PatternTrainer.ExamplesOf(client)), new byte[32], words, null!);
        return words;
    }

    public async Task<float[]> ParametersAsync(int version)
    {
        var parameters = new float[Host.Parts.Layout.Count];
        await using var stream = await registry!.Blobs.OpenAsync(Host.View.Versions[version].Model, CancellationToken.None);
        SafetensorsReader.Open(stream).Read<float>(Host.Parts.Layout, parameters);
        return parameters;
    }

    /// <summary>What the last version added to the one before.</summary>
    public async Task<float[]> StepAsync(int version)
    {
        var (before, after) = (await ParametersAsync(version - 1), await ParametersAsync(version));
        return [.. after.Zip(before, (a, b) => a - b)];
    }

    public async Task UntilAsync(Func<RunView, bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!holds(Host.View))
        {
            await Task.Delay(10, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await registry!.DisposeAsync();
        await store!.DisposeAsync();
        cache.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private async Task StartAsync(bool isNew)
    {
        store = FileStore.Open(Path.Combine(folder, "store"));
        registry = await RunRegistry.OpenAsync(store, factory, time, new RunHostOptions(), TimeSpan.Zero, CancellationToken.None);
        Host = isNew ? await registry.CreateAsync("sums", configuration, CancellationToken.None) : registry.Find("sums")!;
        for (var i = 0; isNew && i < Clients; i++)
        {
            Assert.Equal(HostOutcome.Done, (await Host.JoinAsync(NameOf(i), 0)).Outcome);
        }
    }

    private sealed class PatternTrainer(int client) : ITrainer
    {
        public double Examples => ExamplesOf(client);

        public static double ExamplesOf(int client) => 10 * (1 + (client % 3));

        public TrainingResult Train(TrainingTask task, CancellationToken cancellation)
        {
            UpdateOf(client, task.Delta.Length).CopyTo(task.Delta);
            return new TrainingResult(Examples, 2);
        }
    }

    /// <summary>To whichever coordinator is up; records what it is sent.</summary>
    private sealed class Wire(SumWorld world, int client, Func<string, CancellationToken, Task>? before) : ITransport
    {
        private InProcessTransport? to;
        private RunRegistry? of;

        public bool Authenticates => true;

        public string? AccessToken { get; set; }

        public int Version { get; set; } = ProtocolVersion.Current;

        public TimeSpan ClockSkew => TimeSpan.Zero;

        private InProcessTransport To
        {
            get
            {
                if (world.IsDown)
                {
                    throw Away();
                }

                if (of != world.registry)
                {
                    (of, to) = (world.registry, new InProcessTransport(world.registry!, NameOf(client)));
                }

                return to!;
            }
        }

        public ValueTask<EnrolmentReply> EnrolAsync(EnrolmentRequest request, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<TokenReply> GetTokenAsync(TokenRequest request, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<RunPrivacyMessage> GetPrivacyAsync(string run, CancellationToken cancellation) => Guarded(t => t.GetPrivacyAsync(run, cancellation));

        public ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation) => Guarded(t => t.CheckInAsync(run, request, cancellation));

        public async ValueTask DownloadAsync(BlobReference blob, Stream destination, CancellationToken cancellation) => await Guarded(async t =>
        {
            await t.DownloadAsync(blob, destination, cancellation);
            return true;
        });

        public ValueTask<AssignmentStateMessage> GetAssignmentAsync(string run, long assignment, double waitSeconds, CancellationToken cancellation) =>
            Guarded(t => t.GetAssignmentAsync(run, assignment, waitSeconds, cancellation));

        public ValueTask<UpdateReply> DeclareAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<UpdateOutcomeMessage> SendAsync(
            string run, long assignment, UpdateDeclaration declaration, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<long> GetUploadOffsetAsync(string location, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<long> AppendAsync(string location, long offset, Stream bytes, long count, CancellationToken cancellation) => throw new NotSupportedException();

        public async ValueTask FailAsync(string run, long assignment, FailRequest request, CancellationToken cancellation) => await Guarded(async t =>
        {
            await t.FailAsync(run, assignment, request, cancellation);
            return true;
        });

        public ValueTask ReportEvaluationAsync(string run, int version, EvaluationReport report, CancellationToken cancellation) => throw new NotSupportedException();

        public async ValueTask SendSecureSumAsync(string run, long assignment, string step, ReadOnlyMemory<byte> body, CancellationToken cancellation)
        {
            if (before is not null)
            {
                await before(step, cancellation);
            }

            await Guarded(async t =>
            {
                world.Received.Enqueue((client, step, body.ToArray()));
                await t.SendSecureSumAsync(run, assignment, step, body, cancellation);
                world.taken.Enqueue(step);
                return true;
            });
        }

        public ValueTask<SecureSumState> GetSecureSumAsync(string run, long assignment, string after, double waitSeconds, CancellationToken cancellation) =>
            Guarded(t => t.GetSecureSumAsync(run, assignment, after, waitSeconds, cancellation));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        /// <summary>A coordinator that went away while it was asked is one that does not answer.</summary>
        private async ValueTask<T> Guarded<T>(Func<InProcessTransport, ValueTask<T>> call)
        {
            var asked = world.registry;
            try
            {
                return await call(To);
            }
            catch (ClientException e) when ((world.IsDown || asked != world.registry) && e.Problem is { Status: 404 })
            {
                throw Away();
            }
        }

        private static ClientException Away() => new("away") { Problem = new Problem(503, "unavailable", "The coordinator is being started again.") };
    }
}

/// <summary>What became of a client that may have left.</summary>
internal readonly record struct SessionSummaryOrGone(int Accepted, int Rejected, int GivenUp);
