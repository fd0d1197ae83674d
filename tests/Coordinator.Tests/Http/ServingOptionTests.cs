using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using static Federated.Coordinator.Tests.Http.TestServer;

namespace Federated.Coordinator.Tests.Http;

/// <summary>Options of a coordinator that are no limits.</summary>
public sealed class ServingOptionTests : IDisposable
{
    static ServingOptionTests() => _ = Home; // What a coordinator leaves for its user is not left for ours.

    private readonly string folder = Directory.CreateTempSubdirectory("fed-serving-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_certificate_that_is_named_is_shown_with_its_key_from_another_file()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=fed.example", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(200));
        var (certificate, keyFile) = (Path.Combine(folder, "fed.crt"), Path.Combine(folder, "fed.key"));
        await File.WriteAllTextAsync(certificate, made.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());

        await using var server = await StartAsync(change: o => o with { Certificate = certificate, CertificateKey = keyFile }, listen: ["https://127.0.0.1:0"]);

        using var tcp = new TcpClient();
        await tcp.ConnectAsync(server.Http.BaseAddress!.Host, server.Http.BaseAddress.Port);
        X509Certificate? shown = null;
        await using var tls = new SslStream(tcp.GetStream(), false, (_, offered, _, _) => (shown = offered) is not null);
        await tls.AuthenticateAsClientAsync("fed.example");
        Assert.Equal(made.GetCertHashString(), shown!.GetCertHashString());
        await Assert.ThrowsAsync<CoordinatorException>(() => StartAsync(change: o => o with { Certificate = certificate }, listen: ["https://127.0.0.1:0"])); // A certificate alone.
    }

    [Fact]
    public async Task An_upload_that_nobody_adds_to_for_as_long_as_is_said_is_thrown_away()
    {
        await using var server = await StartAsync(change: o => o with { UploadIdleSeconds = 600, Identity = new IdentityOptions { AccessSeconds = 86400 } });
        var declared = await Declared.NewAsync(server, await server.CreateRunAsync());

        server.Clock.Pass(TimeSpan.FromSeconds(500));
        Assert.Equal(0, await declared.OffsetAsync());
        server.Clock.Pass(TimeSpan.FromSeconds(400));

        await RefusedAsync(Problems.UploadUnknown, declared.SendAsync());
    }

    /// <summary>A blob goes with the second sweep that finds nobody who needs it.</summary>
    [Fact]
    public async Task Blobs_that_nobody_needs_are_looked_for_as_often_as_is_said()
    {
        var time = new ManualTime();
        var store = new SweptStore(FileStore.Open(Path.Combine(folder, "store")));
        BlobReference blob;
        await using (var writer = await store.Blobs.CreateAsync(default))
        {
            await writer.WriteAsync(new byte[10], default);
            blob = await writer.CommitAsync(null, default);
        }

        var options = new CoordinatorOptions { DataDirectory = folder, Listen = ["http://127.0.0.1:0"], SweepSeconds = 50 };
        await using var server = await CoordinatorServer.StartAsync(options, store, new TestRuns(), time, null, default);
        for (var sweep = 1; sweep <= 2; sweep++)
        {
            time.Advance(49);
            Assert.Equal(sweep - 1, store.Sweeps);
            time.Advance(1);
            await store.SweptAsync().WaitAsync(TimeSpan.FromMinutes(2));
            Assert.Equal(sweep, store.Sweeps);
        }

        Assert.False(await store.Inner.ContainsAsync(blob, default)); // Asked only now: whoever asks for a blob keeps it for another sweep.
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Log_lines_are_objects_where_that_is_said_and_text_elsewhere(bool isJson)
    {
        var inside = new Inside();
        await using var server = await CoordinatorServer.StartAsync(
            new CoordinatorOptions { DataDirectory = folder, Listen = ["http://127.0.0.1:0"], JsonLogs = isJson },
            new FileStore(new FaultyFileSystem(1)), new TestRuns(), TimeProvider.System, inside, default);
        var used = inside.Services.GetRequiredService<IOptionsMonitor<ConsoleLoggerOptions>>().CurrentValue.FormatterName;
        var formatter = inside.Services.GetServices<ConsoleFormatter>().Single(f => f.Name == used);
        using var line = new StringWriter();
        formatter.Write(new LogEntry<string>(LogLevel.Information, "Federated", 1, "Ready with 3 runs.", null, (state, _) => state), null, line);

        if (isJson)
        {
            Assert.Equal("Ready with 3 runs.", JsonDocument.Parse(line.ToString()).RootElement.GetProperty("Message").GetString());
        }
        else
        {
            Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(line.ToString()));
            Assert.EndsWith("Ready with 3 runs." + Environment.NewLine, line.ToString(), StringComparison.Ordinal);
        }
    }

    /// <summary>Looks into a server.</summary>
    private sealed class Inside : IServerExtension, IAsyncDisposable
    {
        public IServiceProvider Services { get; private set; } = null!;

        public void AddServices(WebApplicationBuilder builder)
        {
        }

        public void Map(WebApplication app) => Services = app.Services;

        public Task<IAsyncDisposable> OpenedAsync(IServiceProvider services, IRuns runs, CancellationToken cancellation) => Task.FromResult<IAsyncDisposable>(this);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>A store that tells of its sweeps.</summary>
    private sealed class SweptStore(FileStore store) : IStore, IBlobStore
    {
        private readonly SemaphoreSlim swept = new(0);

        public int Sweeps { get; private set; }

        public IBlobStore Inner => store.Blobs;

        public IBlobStore Blobs => this;

        public IDocumentStore Documents => store.Documents;

        public Task SweptAsync() => swept.WaitAsync();

        public IRunLog OpenLog(string run) => store.OpenLog(run);

        public ValueTask DeleteLogAsync(string run, CancellationToken cancellation) => store.DeleteLogAsync(run, cancellation);

        public ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation) => Inner.CreateAsync(cancellation);

        public ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation) => Inner.OpenAsync(blob, cancellation);

        public ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation) => Inner.ContainsAsync(blob, cancellation);

        public ValueTask<IAsyncDisposable?> HoldAsync(BlobReference blob, CancellationToken cancellation) => Inner.HoldAsync(blob, cancellation);

        public async ValueTask<long> SweepAsync(Func<ValueTask<IReadOnlySet<string>>> referenced, CancellationToken cancellation)
        {
            var freed = await Inner.SweepAsync(referenced, cancellation);
            Sweeps++;
            swept.Release();
            return freed;
        }

        public async ValueTask DisposeAsync()
        {
            await ((IAsyncDisposable)store).DisposeAsync();
            swept.Dispose();
        }
    }
}
