using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Protocol;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;

namespace Federated.Client.Transport;

/// <summary>The wire of docs/protocol.md over HTTP/2 or HTTP/1.1, streaming both ways.</summary>
/// <remarks>
/// Memory: 256 KiB per transfer. When the coordinator does not answer, the next address is tried at the next call. A transfer that stands
/// still for <see cref="HttpTransportOptions.IdleTimeout"/> is broken off: after a laptop has slept its connections are dead and nobody says so.
/// </remarks>
public sealed partial class HttpTransport : ITransport
{
    private const int MaxReply = 4 << 20;
    private const int BufferBytes = 256 << 10;

    private readonly HttpTransportOptions options;
    private readonly TimeProvider clock;
    private readonly HttpClient http;
    private readonly Lock sync = new();
    private HttpClient? shufflers;
    private IReadOnlyList<Uri> addresses = [];
    private int at;
    private long skewTicks;

    /// <summary>A transport with connections of its own.</summary>
    public HttpTransport(HttpTransportOptions options, TimeProvider clock)
        : this(options, clock, CreateHandler(options), ownsHandler: true)
    {
    }

    /// <summary>A transport over an app's handler: connections that many clients of one process share, a proxy, a recorder.</summary>
    /// <param name="handler">Made by <see cref="CreateHandler"/>, or something around it.</param>
    public HttpTransport(HttpTransportOptions options, TimeProvider clock, HttpMessageHandler handler, bool ownsHandler)
    {
        ArgumentNullException.ThrowIfNull(options);
        (this.options, this.clock) = (options, clock);
        http = new HttpClient(handler, ownsHandler)
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
    }

    public bool Authenticates => options.ClientCertificate is not null;

    public string? AccessToken { get; set; }

    public int Version { get; set; } = ProtocolVersion.Current;

    public TimeSpan ClockSkew => new(Interlocked.Read(ref skewTicks));

    public ValueTask<EnrolmentReply> EnrolAsync(EnrolmentRequest request, CancellationToken cancellation) =>
        PostAsync("/v1/clients", Json(request, WireJson.Default.EnrolmentRequest), WireJson.Default.EnrolmentReply, isOpen: true, cancellation);

    public ValueTask<TokenReply> GetTokenAsync(TokenRequest request, CancellationToken cancellation) =>
        PostAsync("/v1/tokens", Json(request, WireJson.Default.TokenRequest), WireJson.Default.TokenReply, isOpen: true, cancellation);

    public ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation) =>
        PostAsync($"/v1/runs/{run}/check-ins", Json(request, WireJson.Default.CheckInRequest), WireJson.Default.CheckInReply, isOpen: false, cancellation);

    public ValueTask<UpdateReply> DeclareAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation) =>
        PostAsync(Path(run, assignment, "/update"), Json(declaration, WireJson.Default.UpdateDeclaration), WireJson.Default.UpdateReply, isOpen: false, cancellation);

    public ValueTask<UpdateOutcomeMessage> SendAsync(
        string run, long assignment, UpdateDeclaration declaration, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation)
    {
        var envelope = new ByteArrayContent(UpdateEnvelope.Encode(declaration, parts)) { Headers = { ContentType = new(UpdateEnvelope.ContentType) } };
        return PostAsync(Path(run, assignment, "/update"), envelope, WireJson.Default.UpdateOutcomeMessage, isOpen: false, cancellation);
    }

    public async ValueTask<AssignmentStateMessage> GetAssignmentAsync(string run, long assignment, double waitSeconds, CancellationToken cancellation)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{Path(run, assignment, "")}?waitSeconds={waitSeconds}");
        using var response = await SendAsync(HttpMethod.Get, path, null, isOpen: false, null, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, WireJson.Default.AssignmentStateMessage, cancellation).ConfigureAwait(false);
    }

    public async ValueTask<RunPrivacyMessage> GetPrivacyAsync(string run, CancellationToken cancellation)
    {
        using var response = await SendAsync(HttpMethod.Get, $"/v1/runs/{Uri.EscapeDataString(run)}/privacy", null, isOpen: false, null, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, WireJson.Default.RunPrivacyMessage, cancellation).ConfigureAwait(false);
    }

    public async ValueTask SendReportAsync(Uri shuffler, string proof, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
    {
        var address = new Uri(shuffler, "/v1/reports");
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ReadOnlyMemoryContent(envelope) { Headers = { ContentType = new(ReportEnvelope.ContentType) } } };
        request.Headers.Add(TicketKey.ProofHeader, proof);
        try
        {
            using var response = await (shufflers ??= NewShufflerClient()).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                var text = await ReadBoundedAsync(response, ProblemReader.MaxBytes, cancellation).ConfigureAwait(false);
                throw ClientException.Of(ProblemReader.Read(response, text, clock.GetUtcNow()));
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Broken(address, e);
        }
    }

    public async ValueTask FailAsync(string run, long assignment, FailRequest request, CancellationToken cancellation)
    {
        using var response = await SendAsync(
            HttpMethod.Post, Path(run, assignment, ":fail"), Json(request, WireJson.Default.FailRequest), isOpen: false, null, cancellation).ConfigureAwait(false);
    }

    public async ValueTask ReportEvaluationAsync(string run, int version, EvaluationReport report, CancellationToken cancellation)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/v1/runs/{run}/evaluations/{version}");
        using var response = await SendAsync(HttpMethod.Post, path, Json(report, WireJson.Default.EvaluationReport), isOpen: false, null, cancellation).ConfigureAwait(false);
    }

    public async ValueTask<long> GetUploadOffsetAsync(string location, CancellationToken cancellation)
    {
        using var response = await SendAsync(HttpMethod.Head, location, null, isOpen: false, null, cancellation).ConfigureAwait(false);
        return ProblemReader.Offset(response) ?? throw Garbled(response, "no Upload-Offset");
    }

    public async ValueTask<long> AppendAsync(string location, long offset, Stream bytes, long count, CancellationToken cancellation)
    {
        using var idle = new IdleGuard(options.IdleTimeout, clock, cancellation);
        var body = new StreamPart(bytes, count, idle.Moved);
        using var response = await SendAsync(
            HttpMethod.Patch, location, body, isOpen: false,
            headers => headers.Add("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture)), cancellation, idle).ConfigureAwait(false);
        return ProblemReader.Offset(response) ?? offset + count;
    }

    public async ValueTask DownloadAsync(BlobReference blob, Stream destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(destination);
        if (destination.Position >= blob.Length)
        {
            return; // There whole; the cache checks the digest.
        }

        using var idle = new IdleGuard(options.IdleTimeout, clock, cancellation);
        using var response = await SendAsync(
            HttpMethod.Get, $"/v1/blobs/{blob.Sha256}", null, isOpen: false,
            headers => headers.Range = destination.Position > 0 ? new RangeHeaderValue(destination.Position, null) : null, cancellation, idle).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From != destination.Position)
        {
            destination.SetLength(0);
            destination.Position = 0;
        }

        await CopyAsync(response, destination, blob.Length, idle).ConfigureAwait(false);
    }

    public async ValueTask SendSecureSumAsync(string run, long assignment, string step, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var type = step == SecureSumSteps.Input ? SecureSumSteps.InputType : "application/json";
        using var content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        using var response = await SendAsync(HttpMethod.Post, Path(run, assignment, $"/secure-sum/{step}"), content, isOpen: false, null, cancellation).ConfigureAwait(false);
    }

    public async ValueTask<SecureSumState> GetSecureSumAsync(string run, long assignment, string after, double waitSeconds, CancellationToken cancellation)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{Path(run, assignment, "/secure-sum")}?after={after}&waitSeconds={waitSeconds}");
        using var response = await SendAsync(HttpMethod.Get, path, null, isOpen: false, null, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, WireJson.Default.SecureSumState, cancellation).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        http.Dispose();
        shufflers?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Connections of their own: what the coordinator's carry says who this is.</summary>
    private HttpClient NewShufflerClient() => new(CreateHandler(options with { ClientCertificate = null }))
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
    };

    private static string Path(string run, long assignment, string rest) => string.Create(CultureInfo.InvariantCulture, $"/v1/runs/{run}/assignments/{assignment}{rest}");

    private static ByteArrayContent Json<TMessage>(TMessage message, JsonTypeInfo<TMessage> type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(message, type)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    /// <summary>Connections as this transport wants them.</summary>
    public static SocketsHttpHandler CreateHandler(HttpTransportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var ssl = new SslClientAuthenticationOptions();
        if (options.ClientCertificate is { } own)
        {
            ssl.ClientCertificates = [own];
        }

        if (options.TrustedRoots is { } roots)
        {
            ssl.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            ssl.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }

        return new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            SslOptions = ssl,
            AutomaticDecompression = DecompressionMethods.None,
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10), // A name may come to mean another machine.
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            EnableMultipleHttp2Connections = true,
        };
    }
}
