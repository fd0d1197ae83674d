using System.Diagnostics.Metrics;
using System.Net;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Telemetry;
using Federated.Protocol.Local;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Federated.Coordinator.Http;

/// <summary>The coordinator as a service: Kestrel, the endpoints, the runs behind them.</summary>
/// <remarks>
/// Starting: identities are opened, the server listens (alive, not ready), the runs are loaded, it is ready. Stopping: not ready, nothing new
/// is begun, long polls are let go, every run is saved and closed, then the server stops.
/// </remarks>
public sealed partial class CoordinatorServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly CoordinatorService service;
    private readonly AuditLog audit;
    private readonly IStore store;
    private readonly List<IAsyncDisposable> companions = [];
    private LocalCoordinator? local;
    private bool isStopped, isDisposed;

    private CoordinatorServer(WebApplication app, CoordinatorService service, AuditLog audit, IStore store) =>
        (this.app, this.service, this.audit, this.store) = (app, service, audit, store);

    /// <summary>Where it listens, with the ports that were really taken.</summary>
    public IReadOnlyList<string> Addresses { get; private set; } = [];

    public IIdentities Identities => service.Identities;

    /// <exception cref="InvalidOperationException">The runs are not loaded.</exception>
    public IRuns Runs => service.Registry ?? throw new InvalidOperationException("The runs are not loaded yet.");

    public CoordinatorMetrics Metrics => service.Metrics;

    /// <summary>Starts serving; ready when this returns.</summary>
    /// <param name="store">Owned by the server from here on.</param>
    /// <param name="parts">Makes and reads runs.</param>
    /// <param name="extension">What stands beside the coordinator on the same origin; null for nothing.</param>
    public static Task<CoordinatorServer> StartAsync<TFactory>(
        CoordinatorOptions options, IStore store, TFactory parts, TimeProvider clock, IServerExtension? extension, CancellationToken cancellation)
        where TFactory : IRunFactory, IRunConfigurations =>
        StartAsync(options, store, parts, new LocalRunSource(store, parts, options, clock), clock, extension, cancellation);

    /// <summary>Starts serving runs that are hosted elsewhere than in a registry of this process; ready when this returns.</summary>
    /// <param name="store">Owned by the server from here on.</param>
    /// <param name="configurations">Reads runs.</param>
    /// <param name="source">Hosts them.</param>
    /// <param name="extension">What stands beside the coordinator on the same origin; null for nothing.</param>
    public static async Task<CoordinatorServer> StartAsync(
        CoordinatorOptions options, IStore store, IRunConfigurations configurations, IRunSource source, TimeProvider clock, IServerExtension? extension, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(source);
        var folder = Path.GetFullPath(options.DataDirectory);
        var addresses = options.Listen.Select(ListenAddress.Parse).ToList();
        var identities = source.Identities ?? IdentityStore.Open(Path.Combine(folder, "identity"), options.Identity, clock);
        var audit = AuditLog.Open(Path.Combine(folder, "audit.log"), clock);
        var metrics = new CoordinatorMetrics();
        var service = new CoordinatorService(options, identities, audit, configurations, clock, metrics)
        {
            Shuffling = source.SharedLease is { } lease
                ? await ShufflingBook.OpenAsync(store.Documents, lease, clock, cancellation).ConfigureAwait(false)
                : ShufflingBook.Open(Path.Combine(folder, "identity", "shuffling.json"), clock),
            Lifetime = await LifetimeBudgets.OpenAsync(store.Documents, options.ClientBudget, source.SharedLease, clock, cancellation).ConfigureAwait(false),
        };
        var server = new CoordinatorServer(Build(options, addresses, service, folder, source, extension), service, audit, store);
        try
        {
            await server.RunAsync(options, addresses, store, source, folder, extension, cancellation).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits until the process is told to stop.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellation) => app.WaitForShutdownAsync(cancellation);

    /// <summary>Stops in good order; nothing acknowledged is lost either way.</summary>
    public async Task StopAsync()
    {
        if (isStopped)
        {
            return;
        }

        isStopped = true;
        local?.Forget();
        await service.Draining.CancelAsync().ConfigureAwait(false);
        Log.Draining(app.Logger);
        if (service.Registry is { } registry)
        {
            await registry.CloseAsync().ConfigureAwait(false);
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(service.Options.DrainSeconds), service.Clock);
        await app.StopAsync(limit.Token).ConfigureAwait(false);
        Log.Stopped(app.Logger);
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
        {
            return;
        }

        isDisposed = true;
        await StopAsync().ConfigureAwait(false);
        foreach (var companion in companions)
        {
            await companion.DisposeAsync().ConfigureAwait(false);
        }

        if (service.Registry is { } registry)
        {
            await registry.DisposeAsync().ConfigureAwait(false);
        }

        await app.DisposeAsync().ConfigureAwait(false);
        await store.DisposeAsync().ConfigureAwait(false);
        await service.Identities.DisposeAsync().ConfigureAwait(false);
        await audit.DisposeAsync().ConfigureAwait(false);
        service.Metrics.Dispose();
        service.Draining.Dispose();
    }

    private async Task RunAsync(
        CoordinatorOptions options, List<ListenAddress> addresses, IStore store, IRunSource source, string folder, IServerExtension? extension, CancellationToken cancellation)
    {
        await app.StartAsync(cancellation).ConfigureAwait(false);
        Addresses = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];
        Log.Listening(app.Logger, string.Join(", ", Addresses));
        var isExported = Export.IsWanted(options.OtlpEndpoint);
        var registry = await source.OpenAsync(app.Services, isExported ? PublishTrace.Follow : null, cancellation).ConfigureAwait(false);

        // Before it is ready: whoever sees that it is finds the tokens.
        if (addresses.TrueForAll(a => a.IsLoopback))
        {
            await LeaveLocalAsync(folder).ConfigureAwait(false);
        }
        else if (!(await service.Identities.TokensAsync().ConfigureAwait(false)).Any(t => t is { Kind: "operator", State: "good" }))
        {
            Log.NoOperator(app.Logger, source.Identities is null
                ? $"Stop it and run: fed tokens create --role operator --for NAME --data {folder}"
                : "Start a silo of this cluster without --listen (one more, or this one again), which serves its machine alone, and beside it run: fed tokens create --role operator --for NAME");
        }

        service.Metrics.Observe(() => service.Registry?.Hosted ?? []);
        service.Opened(registry, new Uploads(Path.Combine(folder, "uploads"), store.Blobs, service.Clock, options.UnfinishedUploadBytes));
        companions.Add(new Housekeeping(service));
        companions.Add(new RunWatch(() => service.Registry?.Hosted ?? [], service.Clock, app.Logger));
        if (isExported)
        {
            companions.Add(new Export(options.OtlpEndpoint, source.Instance.Length > 0 ? source.Instance : service.Identities.Coordinator, source.Meters));
        }

        if (extension is not null)
        {
            companions.Add(await extension.OpenedAsync(app.Services, registry, cancellation).ConfigureAwait(false));
        }

        Log.Ready(app.Logger, service.Identities.Coordinator, registry.Runs.Count);
    }

    /// <summary>On loopback: an operator's token and a reusable enrolment token for other programs of this user.</summary>
    private async Task LeaveLocalAsync(string folder)
    {
        var lifetime = TimeSpan.FromDays(30);
        var url = Addresses[0];
        var (_, operatorToken) = await service.Identities.CreateAccessTokenAsync(Role.Operator, $"{Environment.UserName} on this machine", lifetime).ConfigureAwait(false);
        var (_, enrolmentToken) = await service.Identities.CreateEnrolmentTokenAsync("clients on this machine", lifetime, reusable: true).ConfigureAwait(false);
        local = new LocalCoordinator(url, service.Identities.Coordinator, operatorToken, enrolmentToken);
        var path = local.Leave();
        PrivateFile.Write(Path.Combine(folder, "local.json"), File.ReadAllBytes(path));
        await audit.WriteAsync(null, "leave local tokens", path, "done").ConfigureAwait(false);
        Log.LeftLocal(app.Logger, path);
    }

    private static WebApplication Build(
        CoordinatorOptions options, List<ListenAddress> addresses, CoordinatorService service, string folder, IRunSource source, IServerExtension? extension)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = folder, EnvironmentName = Environments.Production });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Limits.MaxRequestLineSize = 4 << 10;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(options.BodyGraceSeconds);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(options.MinimumBodyRate, TimeSpan.FromSeconds(options.BodyGraceSeconds));
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(6); // Longer than the longest poll.
            kestrel.Limits.Http2.InitialConnectionWindowSize = 8 << 20;
            kestrel.Limits.Http2.InitialStreamWindowSize = 4 << 20;
            kestrel.Limits.Http2.MaxFrameSize = 1 << 20;
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(60);
            var tls = addresses.Exists(a => a.UsesTls) ? Tls.Open(options, folder, service.Clock) : null;
            foreach (var address in addresses)
            {
                Listen(kestrel, address, tls);
            }
        });
        builder.Logging.ClearProviders();
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical); // Who starts it tells why it did not start.
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(h => h.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSeconds));
        builder.Services.AddSingleton(service.Clock);
        builder.Services.AddSingleton(services => Prometheus(service.Metrics.Meter, services.GetRequiredService<IMeterFactory>(), source.Meters));
        source.AddServices(builder);
        extension?.AddServices(builder);
        if (options.JsonLogs)
        {
            builder.Logging.AddJsonConsole(json => json.UseUtcTimestamp = true);
        }
        else
        {
            builder.Logging.AddSimpleConsole(line => (line.SingleLine, line.TimestampFormat) = (true, "HH:mm:ss "));
        }

        // Standard output belongs to the command that serves.
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        var app = builder.Build();
        app.Use(next => new Failures(next, app.Logger).InvokeAsync);
        app.UseRouting();
        app.Use(next => new Gate(service, next).InvokeAsync);
        new IdentityEndpoints(service).Map(app);
        new RunEndpoints(service).Map(app);
        new ClientEndpoints(service).Map(app);
        new UpdateEndpoints(service).Map(app);
        new UploadEndpoints(service).Map(app);
        new SecureSumEndpoints(service).Map(app);
        new BlobEndpoints(service).Map(app);
        new ShufflingEndpoints(service).Map(app);
        new HealthEndpoints(service, app.Services.GetRequiredService<PrometheusText>()).Map(app);
        extension?.Map(app);
        OpenApi.Map(app);
        app.MapFallback("/v1/{**rest}", c => c.RefuseAsync(Problems.NotFound, "GET /openapi/v1.json lists the addresses that there are.")).WithMetadata(Access.Anybody);
        return app;
    }

    /// <summary>This coordinator's own meter, its web server's, and those that belong to the process.</summary>
    private static PrometheusText Prometheus(Meter own, IMeterFactory server, IReadOnlyList<string> ofProcess) =>
        new(m => m == own || (m.Scope == server && m.Name == "Microsoft.AspNetCore.Server.Kestrel") || ofProcess.Contains(m.Name));

    private static void Listen(KestrelServerOptions kestrel, ListenAddress address, Tls? tls)
    {
        void Configure(ListenOptions listen)
        {
            listen.Protocols = address.UsesTls ? HttpProtocols.Http1AndHttp2 : address.IsCleartextHttp2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
            if (address.UsesTls)
            {
                listen.UseHttps(tls!.Configure);
            }
        }

        switch (address.Host)
        {
            case "localhost":
                kestrel.ListenLocalhost(address.Port, Configure);
                break;
            case "*":
                kestrel.ListenAnyIP(address.Port, Configure);
                break;
            default:
                kestrel.Listen(IPAddress.Parse(address.Host), address.Port, Configure);
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Listening on {Addresses}; loading the runs.")]
        public static partial void Listening(ILogger logger, string addresses);

        [LoggerMessage(2, LogLevel.Information, "Coordinator {Coordinator} is ready with {Runs} runs.")]
        public static partial void Ready(ILogger logger, string coordinator, int runs);

        [LoggerMessage(3, LogLevel.Information, "Programs of this user find their tokens in {Path}.")]
        public static partial void LeftLocal(ILogger logger, string path);

        [LoggerMessage(6, LogLevel.Warning, "Nobody may operate this coordinator yet. {Remedy}")]
        public static partial void NoOperator(ILogger logger, string remedy);

        [LoggerMessage(4, LogLevel.Information, "Stopping: nothing new is begun, the runs are saved.")]
        public static partial void Draining(ILogger logger);

        [LoggerMessage(5, LogLevel.Information, "Stopped.")]
        public static partial void Stopped(ILogger logger);
    }
}

/// <summary>Something that stands beside the coordinator on its origin: the dashboard.</summary>
public interface IServerExtension
{
    void AddServices(WebApplicationBuilder builder);

    void Map(WebApplication app);

    /// <summary>Called when the runs are loaded.</summary>
    /// <returns>What to dispose when the server stops.</returns>
    Task<IAsyncDisposable> OpenedAsync(IServiceProvider services, IRuns runs, CancellationToken cancellation);
}
