using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Tests.Storage;
using Federated.EndToEnd.Serving;

namespace Federated.EndToEnd.Cluster;

/// <summary>What somebody finds who reaches the port between silos, and what a silo asks for before it opens it to others.</summary>
[Collection(PostgresTests.Name)]
public sealed class SiloTrafficTests(PostgresServer server) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15), Handshakes = TimeSpan.FromSeconds(20);

    private readonly string folder = Directory.CreateTempSubdirectory("federated-traffic-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [ClusterFact]
    public async Task OnlyThoseWhoHaveTheClustersKeyGetThroughToASilo()
    {
        await Fed.RunAsync("pki", "silo", "--data", Path.Combine(folder, "silo"));
        await Fed.RunAsync("pki", "silo", "--data", Path.Combine(folder, "stranger"));
        using var limit = new CancellationTokenSource(Limit);
        using var silo = new SiloProcess("silo", folder, $"postgres:{await server.NewDatabaseAsync()}");
        silo.Start();
        await silo.ReadyAsync(limit.Token);

        // Nothing comes back from a silo before it knows who speaks; one that takes the connection waits for what is said.
        Assert.True(await IsTakenAsync(silo.Port, Certificate("silo"), Handshakes, limit.Token)); // Twice what a silo waits for a handshake.
        Assert.False(await IsTakenAsync(silo.Port, Certificate("stranger"), Limit, limit.Token));
        Assert.False(await IsTakenAsync(silo.Port, null, Limit, limit.Token));
        Assert.False(await SpeaksPlainlyAsync(silo.Port, limit.Token));
    }

    [ClusterFact]
    public async Task ASiloThatOthersCouldReachDoesNotStartWithoutACertificate()
    {
        using var limit = new CancellationTokenSource(Limit);
        var (code, _, error) = await Fed.TryAsync(
            "silo", "--data", folder, "--store", $"postgres:{await server.NewDatabaseAsync()}", "--address", "10.255.255.1", "--port", "11111", "--listen", "http://127.0.0.1:0");
        Assert.Equal(2, code);
        Assert.Contains("--plain-silos", error, StringComparison.Ordinal);
        (code, _, error) = await Fed.TryAsync("silo", "--data", folder, "--address", "10.255.255.1", "--listen", "http://127.0.0.1:0");
        Assert.Equal(2, code);
        Assert.Contains("leave --address out", error, StringComparison.Ordinal);
    }

    /// <summary>Whether a silo keeps a connection of somebody with a certificate, for as long as patience lasts.</summary>
    private static async Task<bool> IsTakenAsync(int port, X509Certificate2? certificate, TimeSpan patience, CancellationToken cancellation)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
        await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "silo", ClientCertificates = certificate is null ? null : [certificate] }, cancellation);
            return await WaitsAsync(tls, patience, cancellation);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return false;
        }
    }

    private static async Task<bool> SpeaksPlainlyAsync(int port, CancellationToken cancellation)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
        try
        {
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes("Let me in, I am a silo."), cancellation);
            return await WaitsAsync(socket.GetStream(), Limit, cancellation);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Whether the other side says something, or listens on: one that was refused is told so by the connection's end.</summary>
    private static async Task<bool> WaitsAsync(Stream stream, TimeSpan patience, CancellationToken cancellation)
    {
        using var listening = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        listening.CancelAfter(patience);
        try
        {
            return await stream.ReadAsync(new byte[1], listening.Token) > 0;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return true;
        }
    }

    private X509Certificate2 Certificate(string name)
    {
        var (certificate, key) = ClusterCertificate.FilesIn(Path.Combine(folder, name));
        return ClusterCertificate.Open(certificate, key, TimeProvider.System).Own;
    }
}
