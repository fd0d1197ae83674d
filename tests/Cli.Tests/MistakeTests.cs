using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Federated.Cli.Clients;
using Federated.Cli.Serving;

namespace Federated.Cli.Tests;

/// <summary>What people get wrong: every time one sentence that says what to change, an exit code, and no stack trace.</summary>
public sealed class MistakeTests : IDisposable
{
    private readonly FedProcess fed = new();

    public void Dispose() => fed.Dispose();

    [Fact]
    public async Task APortThatIsInUseIsNamed()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = ((IPEndPoint)other.LocalEndpoint).Port;

        Assert.Equal(ExitCodes.Environment, await fed.RunAsync("serve", "--data", fed.PathOf("data"), "--listen", $"http://127.0.0.1:{taken}"));

        Assert.Contains($"127.0.0.1:{taken}", fed.Error, StringComparison.Ordinal);
        Assert.Contains("--listen", fed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", fed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APortAloneIsNoAddressToListenOn()
    {
        Assert.Equal(ExitCodes.Usage, await fed.RunAsync("serve", "--data", fed.PathOf("data"), "--listen", "7431"));
        Assert.Contains("a port alone is not enough", fed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TlsAskedOfAPortWithoutItIsToldAtOnce()
    {
        using var plain = new TcpListener(IPAddress.Loopback, 0);
        plain.Start();
        var url = $"https://127.0.0.1:{((IPEndPoint)plain.LocalEndpoint).Port}";
        var answering = AnswerInTheClearAsync(plain);

        Assert.Equal(ExitCodes.Environment, await fed.RunAsync("client", "--run", "r", "--server", url, "--token", "t", "--state", fed.PathOf("state"), "--data", fed.Folder));

        Assert.Contains("write http://", fed.Error, StringComparison.Ordinal);
        plain.Stop();
        await answering;
    }

    [Fact]
    public async Task AMissingArgumentIsNamedAndDescribed()
    {
        Assert.Equal(ExitCodes.Usage, await fed.RunAsync("run"));
        Assert.Contains("<file> is missing", fed.Error, StringComparison.Ordinal);
    }

    /// <summary>Help prints default values, and the environment's token would be one.</summary>
    [Fact]
    public void NoOptionHasATokenOfTheEnvironmentForItsDefault()
    {
        var command = new Command("runs");
        new ConnectionOptions().AddTo(command);

        Assert.False(command.Options.Single(option => option.Name == "--token").HasDefaultValue);
        Assert.False(new ClientArguments().Token.HasDefaultValue);
    }

    [Theory]
    [InlineData("http://127.0.0.1:7431", "http://127.0.0.1:7431")]
    [InlineData("https://fl.example.org:8443/", "https://fl.example.org:8443")]
    public void ALinkToAnAddressStaysAsItIs(string address, string link) => Assert.Equal(link, ServedDashboard.Openable(address));

    [Theory]
    [InlineData("https://[::]:8443")]
    [InlineData("https://0.0.0.0:8443")]
    public void ALinkToAllAddressesNamesThisMachine(string address) =>
        Assert.Equal($"https://{Dns.GetHostName()}:8443", ServedDashboard.Openable(address), ignoreCase: true);

    private static async Task AnswerInTheClearAsync(TcpListener plain)
    {
        try
        {
            while (true)
            {
                using var connection = await plain.AcceptTcpClientAsync();
                var stream = connection.GetStream();
                _ = await stream.ReadAsync(new byte[1024]);
                await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // Stopped, or the other side has gone.
        }
    }
}
