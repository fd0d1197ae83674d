using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Federated.Privacy.Randomness;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;
using Federated.Shuffler.Batches;
using Federated.Shuffler.Delivery;
using Federated.Shuffler.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Federated.Shuffler.Http;

/// <summary>A shuffler as a service of its own process. It logs no request: who came when is what it is there to hide.</summary>
public sealed partial class ShufflerServer : IAsyncDisposable
{
    /// <summary>What nearly every request is answered.</summary>
    private static readonly byte[] Held = JsonSerializer.SerializeToUtf8Bytes(new ReportReply("held"), WireJson.Default.ReportReply);

    private readonly WebApplication app;
    private readonly ShufflerOptions options;
    private readonly ShufflerKeys keys;
    private readonly IShuffler service;
    private readonly EnvelopeOpener opener;
    private readonly HttpClient? http;
    private readonly TicketKey? tickets;
    private readonly ECDsa? previous;
    private long bytesInFlight;

    /// <param name="start">Called when the options are known to make sense.</param>
    /// <param name="http">Disposed after what was started.</param>
    private ShufflerServer(ShufflerOptions options, ShufflerKeys keys, Func<IShuffler> start, HttpClient? http)
    {
        (this.options, this.keys, this.http) = (options, keys, http);
        tickets = options.TicketKey.Length > 0 ? keys.TicketsOf(options.TicketKey) : null;
        previous = options.PreviousKey.Length > 0 ? ReadKey(options.PreviousKey) : null;
        if ((tickets is null) == (previous is null))
        {
            throw new ShufflerException("A shuffler takes reports of clients, by the coordinator's ticket key, or batches of the shuffler before it, by that one's signing key: give one of the two.");
        }

        service = start();
        opener = new EnvelopeOpener(keys.Sealing);
        app = Build();
    }

    /// <summary>Where it listens, with the ports that were really taken.</summary>
    public IReadOnlyList<string> Addresses { get; private set; } = [];

    public IShuffler Service => service;

    /// <param name="handler">Reaches the destination; owned by the server from here on.</param>
    /// <exception cref="ShufflerException">An option is wrong; the message says what to change.</exception>
    public static Task<ShufflerServer> StartAsync(ShufflerOptions options, ShufflerKeys keys, HttpMessageHandler handler, TimeProvider clock, CancellationToken cancellation) =>
        StartAsync(options, keys, handler, clock, new CryptographicRandom(), cancellation);

    /// <summary>A front door of a shuffler that stands elsewhere.</summary>
    /// <param name="shuffler">Owned by the server from here on.</param>
    /// <exception cref="ShufflerException">An option is wrong; the message says what to change.</exception>
    public static Task<ShufflerServer> StartAsync(ShufflerOptions options, ShufflerKeys keys, IShuffler shuffler, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(keys);
        return StartAsync(new ShufflerServer(options, keys, () => shuffler, null), cancellation);
    }

    internal static async Task<ShufflerServer> StartAsync(
        ShufflerOptions options, ShufflerKeys keys, HttpMessageHandler handler, TimeProvider clock, IRandomSource random, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(keys);
        var http = new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(10), MaxResponseContentBufferSize = 1 << 20 };
        IShuffler Start() => ShufflerService.Start(
            new PhysicalDisk(Path.Combine(options.DataDirectory, "held")), keys.Signing, new BatchRules(options.MinBatch),
            new HttpDestination(http, options.Destination, options.Name), clock, TimeSpan.FromSeconds(options.FirstRetrySeconds), random);
        return await StartAsync(new ShufflerServer(options, keys, Start, http), cancellation).ConfigureAwait(false);
    }

    private static async Task<ShufflerServer> StartAsync(ShufflerServer server, CancellationToken cancellation)
    {
        try
        {
            await server.app.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        server.Addresses = [.. server.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync().ConfigureAwait(false);
        await opener.DisposeAsync().ConfigureAwait(false);
        await service.DisposeAsync().ConfigureAwait(false);
        http?.Dispose();
        previous?.Dispose();
    }

    private static ECDsa ReadKey(string text)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(Base64Url.DecodeFromChars(text), out _);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or FormatException or PlatformNotSupportedException)
        {
            key.Dispose();
            throw new ShufflerException($"The key of the shuffler before this one is none: {e.Message}", e);
        }
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            EnvironmentName = Environments.Production,
            Args = ["--hostBuilder:reloadConfigOnChange=false"], // Nothing is read of the folder that it is started in; watching it costs a wake-up for every write below.
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Limits.MaxRequestBodySize = options.MaxReportBytes;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 8 << 20;
            kestrel.Limits.Http2.InitialStreamWindowSize = 4 << 20;
            foreach (var address in options.Listen)
            {
                Listen(kestrel, address);
            }
        });
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true); // No handler blocks: what costs time is done by the opener and the service.
        builder.Logging.ClearProviders(); // Not even a framework's line about a connection.
        builder.Services.AddRoutingCore();
        var built = builder.Build();
        built.MapPost("/v1/reports", ReportAsync);
        built.MapPost("/v1/runs/{run}/batches/{batch}", BatchAsync);
        built.MapGet("/v1/keys", KeysAsync);
        built.MapGet("/healthz", context => context.Response.WriteAsync("alive\n", context.RequestAborted));
        built.MapGet("/readyz", ReadyAsync);
        built.MapGet("/metrics", MetricsAsync);
        return built;
    }

    private static void Listen(KestrelServerOptions kestrel, ShufflerAddress address)
    {
        void Configure(ListenOptions listen)
        {
            listen.Protocols = address.Certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (address.Certificate is { } certificate)
            {
                listen.UseHttps(certificate);
            }
        }

        var isLoopback = address.Host == "localhost" || (IPAddress.TryParse(address.Host, out var ip) && IPAddress.IsLoopback(ip));
        if (address.Certificate is null && !isLoopback)
        {
            throw new ShufflerException($"{address.Host}:{address.Port} can be reached from other machines, and needs a certificate; or listen on 127.0.0.1 behind a proxy that does TLS.");
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

    private async Task ReportAsync(HttpContext context)
    {
        if (tickets is null)
        {
            await RefuseAsync(context, 404, "not-found", "This shuffler takes batches of the one before it, and no reports.").ConfigureAwait(false);
            return;
        }

        if (context.Request.ContentLength is not { } length || length > options.MaxReportBytes || length <= ReportEnvelope.EnvelopeBytes(0))
        {
            await RefuseAsync(context, 413, "too-large", $"Send Content-Length, of at most {options.MaxReportBytes} bytes, and an envelope as docs/protocol.md says.").ConfigureAwait(false);
            return;
        }

        if (tickets.TryReadProof(context.Request.Headers[TicketKey.ProofHeader].ToString()) is not var (claims, ticket))
        {
            await RefuseAsync(context, 403, "ticket-invalid", $"The header {TicketKey.ProofHeader} proves no ticket of the coordinator that this shuffler works for. Make it as docs/protocol.md says; check in again.").ConfigureAwait(false);
            return;
        }

        if (length != ReportEnvelope.EnvelopeBytes(claims))
        {
            await RefuseReportAsync(context, ReportOutcome.WrongSize).ConfigureAwait(false);
            return;
        }

        if (!TryReserve(length))
        {
            await RefuseBusyAsync(context).ConfigureAwait(false);
            return;
        }

        try
        {
            var envelope = GC.AllocateUninitializedArray<byte>((int)length);
            await context.Request.Body.ReadExactlyAsync(envelope, context.RequestAborted).ConfigureAwait(false);
            await TakeAsync(context, envelope, claims, ticket).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Add(ref bytesInFlight, -length);
        }
    }

    /// <summary>Room for a body, before any of it is read.</summary>
    private bool TryReserve(long bytes)
    {
        if (Interlocked.Add(ref bytesInFlight, bytes) <= options.MaxBytesInFlight)
        {
            return true;
        }

        Interlocked.Add(ref bytesInFlight, -bytes);
        return false;
    }

    /// <param name="claims">Of the ticket that was proven.</param>
    /// <param name="ticket">That ticket, which has to be in the envelope: who has seen its proof only could not put it there.</param>
    private async Task TakeAsync(HttpContext context, byte[] envelope, ShuffleTicket claims, byte[] ticket)
    {
        if (await opener.OpenAsync(envelope).ConfigureAwait(false) is not var (text, inner))
        {
            await RefuseAsync(context, 422, "envelope-invalid", "The envelope does not open: it was sealed to another key, or changed on its way. Check in again for the shuffler's present key.").ConfigureAwait(false);
            return;
        }

        if (!CryptographicOperations.FixedTimeEquals(text.Span, ticket))
        {
            await RefuseAsync(context, 403, "ticket-invalid", $"The ticket in the envelope is not the one that {TicketKey.ProofHeader} proves. Check in again.").ConfigureAwait(false);
            return;
        }

        switch (await service.TakeAsync(HeldReport.Of(claims, inner)).ConfigureAwait(false))
        {
            case ReportOutcome.Held:
                context.Response.StatusCode = StatusCodes.Status202Accepted;
                await WriteAsync(context, Held, "application/json").ConfigureAwait(false);
                break;
            case null:
                await RefuseAsync(context, 503, "unavailable", "The report cannot be made durable now; send the same again.").ConfigureAwait(false);
                break;
            case { } outcome:
                await RefuseReportAsync(context, outcome).ConfigureAwait(false);
                break;
        }
    }

    private static Task RefuseReportAsync(HttpContext context, ReportOutcome outcome)
    {
        var (type, detail) = Explain(outcome);
        return RefuseAsync(context, outcome == ReportOutcome.Expired ? 410 : 409, type, detail);
    }

    private static (string Type, string Detail) Explain(ReportOutcome outcome) => outcome switch
    {
        ReportOutcome.Replayed => ("ticket-used", "Another report came with this ticket; each takes one."),
        ReportOutcome.Expired => ("ticket-expired", "The ticket's time is over. Check in again."),
        ReportOutcome.TooMany => ("too-many-reports", "This client has as many reports in the batch as it may. Check in again."),
        ReportOutcome.BatchTooSmall => ("batch-too-small", "The run's batches may be smaller than this shuffler lets through. Its operator and the run's have to agree."),
        ReportOutcome.WrongSize => ("report-size", "The report is not of its batch's size; pad it as docs/protocol.md says."),
        _ => ("batch-differs", "The ticket does not agree with the others of its batch. Check in again."),
    };

    private Task KeysAsync(HttpContext context) =>
        WriteAsync(context, new ShufflerMessage(options.Name, "", keys.SealingKey, keys.SigningKey), WireJson.Default.ShufflerMessage);

    private Task ReadyAsync(HttpContext context)
    {
        context.Response.StatusCode = service.IsReady ? 200 : 503;
        return context.Response.WriteAsync(service.IsReady ? "ready\n" : "not ready\n", context.RequestAborted);
    }

    private Task MetricsAsync(HttpContext context)
    {
        var totals = service.Totals;
        context.Response.ContentType = "text/plain; version=0.0.4";
        return context.Response.WriteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                # HELP federated_shuffler_batches_total Batches that are over. All of these stand still between batches.
                # TYPE federated_shuffler_batches_total counter
                federated_shuffler_batches_total{"{outcome=\"left\"}"} {totals.Batches}
                federated_shuffler_batches_total{"{outcome=\"dropped\"}"} {totals.Dropped}
                # HELP federated_shuffler_reports_total Reports in batches that are over.
                # TYPE federated_shuffler_reports_total counter
                federated_shuffler_reports_total{"{outcome=\"left\"}"} {totals.Reports}
                federated_shuffler_reports_total{"{outcome=\"erased\"}"} {totals.Erased}

                """),
            context.RequestAborted);
    }

    private static Task RefuseBusyAsync(HttpContext context) => RefuseAsync(context, 503, "busy", "Too much is coming in; send the same later.");

    private static Task RefuseAsync(HttpContext context, int status, string type, string detail)
    {
        context.Response.StatusCode = status;
        if (status == 503)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return WriteAsync(context, new ProblemMessage($"/problems/{type}", "The shuffler cannot take this", status, detail, ""), WireJson.Default.ProblemMessage, "application/problem+json");
    }

    private static Task WriteAsync<T>(HttpContext context, T message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> form, string type = "application/json")
    {
        return WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(message, form), type);
    }

    private static Task WriteAsync(HttpContext context, byte[] body, string type)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
