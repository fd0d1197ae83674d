using System.Globalization;
using Federated.Client;
using Federated.Client.Analytics;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Training;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Orleans.Identity;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;
using Federated.Shuffler;
using Federated.Shuffler.Http;
using Federated.Simulation.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace Federated.Coordinator.Orleans.Tests.Private;

/// <summary>Silos in this process, each with its front door on a port: real runs, clients of the SDK that know every door, and shufflers.</summary>
internal sealed class PrivateCluster : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("fed-private-").FullName;
    private readonly List<Door> doors = [];
    private readonly List<IAsyncDisposable> shufflers = [];

    static PrivateCluster() => Environment.SetEnvironmentVariable("FED_HOME", Directory.CreateTempSubdirectory("fed-home-").FullName);

    private PrivateCluster(TestSilos silos, ExperimentRunFactory factory) => (Silos, Factory) = (silos, factory);

    public TestSilos Silos { get; }

    public ExperimentRunFactory Factory { get; }

    /// <summary>Of the silos that live.</summary>
    public IReadOnlyList<Door> Doors => [.. doors.Where(door => !door.IsDead)];

    /// <param name="kills">Whether silos are killed.</param>
    public static async Task<PrivateCluster> StartAsync(bool kills, FrontDoorOptions? frontDoor = null)
    {
        const short silos = 2;
        var factory = new ExperimentRunFactory("data");
        var made = new PrivateCluster(await TestSilos.StartAsync(silos, frontDoor, factory: factory, kills: kills), factory);
        for (var i = 0; i < silos; i++)
        {
            made.doors.Add(await Door.OpenAsync(made.Silos, made.Silos.Silos[i], factory, Path.Combine(made.folder, $"silo-{i}")));
        }

        return made;
    }

    public ReadOnlyMemory<byte> Read(string text) => Factory.Read(text, []);

    /// <summary>The door of the silo that has the run.</summary>
    public Door HostOf(string run) => Doors.Single(door => door.Services.GetRequiredService<RunHosting>().Hosts.Any(host => host.Entry.Id == run));

    /// <summary>As when its process is killed: nothing is saved, connections break.</summary>
    public async Task KillAsync(Door door)
    {
        door.IsDead = true;
        await Silos.KillAsync(Silos.Silos.Select((silo, i) => (silo, i)).Single(s => s.silo == door.Silo).i);
        await door.Server.DisposeAsync();
    }

    /// <summary>A client that trains; it knows every door, and goes to the next when one does not answer.</summary>
    /// <param name="handler">Of its connections.</param>
    /// <param name="around">Stands between client and connection.</param>
    public Task<SessionSummary> TakePartAsync(
        string run, int index, ITrainer trainer, CancellationToken cancellation, HttpMessageHandler? handler = null, Func<HttpTransport, ITransport>? around = null) =>
        WithClientAsync(run, index, client => client.RunAsync(trainer, cancellation), handler, around);

    /// <summary>A client that answers a question once.</summary>
    public Task<SessionSummary> AnswerAsync(
        string run, int index, IAnalyst analyst, CancellationToken cancellation, HttpMessageHandler? handler = null, Func<HttpTransport, ITransport>? around = null) =>
        WithClientAsync(run, index, client => client.AnswerAsync(analyst, cancellation), handler, around);

    private async Task<SessionSummary> WithClientAsync(
        string run, int index, Func<FederatedClient, Task<SessionSummary>> act, HttpMessageHandler? handler, Func<HttpTransport, ITransport>? around)
    {
        var addresses = doors.Select((_, i) => doors[(index + i) % doors.Count].Url).ToList(); // Each door is the first of some.
        var options = new FederatedClientOptions
        {
            Run = run,
            Name = string.Create(CultureInfo.InvariantCulture, $"shard-{index:D5}"),
            EnrolmentToken = doors[0].EnrolmentToken,
            FirstRetry = TimeSpan.FromMilliseconds(50),
            LongPoll = TimeSpan.FromSeconds(5),
        };
        await using var transport = new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.Of(addresses) }, TimeProvider.System, handler ?? new SocketsHttpHandler(), ownsHandler: true);
        await using var client = new FederatedClient(options, around?.Invoke(transport) ?? transport, new MemoryClientStore(new MemoryModelCache(1 << 24)), TimeProvider.System);
        return await act(client);
    }

    /// <summary>Starts a shuffler that one door knows, and has it registered there.</summary>
    /// <param name="reached">Where its batches go.</param>
    /// <param name="clock">Of its windows.</param>
    public async Task<ShufflerServer> StartShufflerAsync(string name, Door registeredAt, Door reached, HttpMessageHandler handler, TimeProvider? clock = null)
    {
        using var http = registeredAt.Connect();
        var tickets = System.Text.Json.JsonSerializer.Deserialize(await http.GetStringAsync("/v1/shuffling"), WireJson.Default.ShufflingKeysMessage)!.Tickets;
        var data = Path.Combine(folder, name);
        var keys = ShufflerKeys.OpenOrCreate(data);
        var options = new ShufflerOptions
        {
            DataDirectory = data, Name = name, Destination = reached.Url, MinBatch = 2, Listen = [new ShufflerAddress("127.0.0.1", 0, null)], TicketKey = tickets, FirstRetrySeconds = 0.05,
        };
        var shuffler = await ShufflerServer.StartAsync(options, keys, handler, clock ?? TimeProvider.System, default);
        shufflers.Add(shuffler);
        var message = new ShufflerMessage(name, shuffler.Addresses[0], keys.SealingKey, keys.SigningKey);
        using var added = await http.PostAsync("/v1/shufflers", Json(System.Text.Json.JsonSerializer.Serialize(message, WireJson.Default.ShufflerMessage)));
        added.EnsureSuccessStatusCode();
        return shuffler;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var shuffler in shufflers)
        {
            await shuffler.DisposeAsync();
        }

        foreach (var door in Doors)
        {
            await door.Server.DisposeAsync();
        }

        await Silos.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    public static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    /// <summary>The front door of one silo.</summary>
    internal sealed class Door : IRunSource
    {
        private readonly ClusterIdentities identities;
        private string operatorToken = "";

        private Door(InProcessSiloHandle silo)
        {
            (Silo, Services) = (silo, silo.ServiceProvider);
            identities = new ClusterIdentities(new IdentityOptions(), TestSilos.FrontDoor, TimeProvider.System);
        }

        public InProcessSiloHandle Silo { get; }

        public IServiceProvider Services { get; }

        public CoordinatorServer Server { get; private set; } = null!;

        public bool IsDead { get; set; }

        public Uri Url { get; private set; } = null!;

        public string EnrolmentToken { get; private set; } = "";

        public IIdentities Identities => identities;

        public TimeSpan? SharedLease => TimeSpan.Zero;

        public ClusterRuns Runs => Services.GetRequiredService<ClusterRuns>();

        public static async Task<Door> OpenAsync(TestSilos silos, InProcessSiloHandle silo, ExperimentRunFactory factory, string folder)
        {
            var door = new Door(silo);
            var options = new CoordinatorOptions
            {
                DataDirectory = folder, Listen = ["http://127.0.0.1:0"], DrainSeconds = 2, ClientRate = 1e6, ClientBurst = 1e6, AddressRate = 1e6,
            };
            door.Server = await CoordinatorServer.StartAsync(options, silos.Store, factory, door, TimeProvider.System, null, default);
            door.Url = new Uri(door.Server.Addresses[0]);
            var local = LocalCoordinator.Find(door.Url)!;
            (door.EnrolmentToken, door.operatorToken) = (local.EnrolmentToken, local.OperatorToken);
            return door;
        }

        public void AddServices(WebApplicationBuilder builder)
        {
        }

        public async Task<IRuns> OpenAsync(IServiceProvider services, Action<RunHost>? opened, CancellationToken cancellation)
        {
            await identities.OpenAsync(Services.GetRequiredService<IGrainFactory>(), cancellation);
            await Runs.StartAsync(cancellation);
            return Runs;
        }

        /// <summary>An operator's connection.</summary>
        public HttpClient Connect()
        {
            var http = new HttpClient { BaseAddress = Url };
            http.DefaultRequestHeaders.Authorization = new("Bearer", operatorToken);
            return http;
        }
    }
}

/// <summary>Connections that wait before what the test says.</summary>
internal sealed class Gate(Func<string, Task> before) : DelegatingHandler(new SocketsHttpHandler())
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await before(request.RequestUri!.AbsolutePath).WaitAsync(cancellationToken);
        return await base.SendAsync(request, cancellationToken);
    }
}

/// <summary>Every client's update is a vector of its own, known to the test.</summary>
internal sealed class Pattern(int client) : ITrainer
{
    public double Examples => 10;

    public static float UpdateOf(int client, int j) => 0.01f * (client + 1) * ((((j * 7) + (client * 13)) % 11) - 5);

    public TrainingResult Train(TrainingTask task, CancellationToken cancellation)
    {
        for (var j = 0; j < task.Delta.Length; j++)
        {
            task.Delta[j] = UpdateOf(client, j);
        }

        return new TrainingResult(Examples, 3);
    }
}
