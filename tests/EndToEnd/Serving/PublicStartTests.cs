namespace Federated.EndToEnd.Serving;

/// <summary>A coordinator that others can reach, from its first start on, as docs/operations.md has it.</summary>
public sealed class PublicStartTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("federated-public-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task TheFirstOperatorsTokenIsMadeInTheDataDirectoryAndNoOtherLiesAbout()
    {
        await Fed.RunAsync("pki", "init", "--data", folder);
        await Fed.RunAsync("pki", "server", "--data", folder, "--name", "127.0.0.1");
        var token = (await Fed.RunAsync("tokens", "create", "--role", "operator", "--for", "admin", "--days", "365", "--data", folder)).Trim();
        await using var coordinator = await ServedCoordinator.StartAsync(folder, "https", "0.0.0.0");
        string[] there = ["--url", coordinator.Url, "--ca", Path.Combine(folder, "pki", "ca.crt")];
        Assert.Contains("No runs.", await Fed.RunAsync(["runs", "list", .. there, "--token", token]), StringComparison.Ordinal);
        Assert.Contains("admin", await Fed.RunAsync(["tokens", "list", .. there, "--token", token]), StringComparison.Ordinal);

        // Nobody is let in by being on the same machine, and nothing secret was written to the log.
        Assert.NotEqual(0, (await Fed.TryAsync(["runs", "list", .. there])).Code);
        Assert.False(File.Exists(Path.Combine(folder, "local.json")));
        Assert.DoesNotContain("fop_", coordinator.Log, StringComparison.Ordinal);
        var identities = Directory.GetFiles(Path.Combine(folder, "identity")).Where(f => Path.GetFileName(f) != "lock").ToList();
        Assert.NotEmpty(identities);
        Assert.All(identities, f => Assert.DoesNotContain(token, File.ReadAllText(f), StringComparison.Ordinal));

        // The directory is the running coordinator's own.
        var (code, _, error) = await Fed.TryAsync("tokens", "create", "--role", "operator", "--data", folder);
        Assert.NotEqual(0, code);
        Assert.Contains("in use by another process", error, StringComparison.Ordinal);
        Assert.Contains("create operator token", File.ReadAllText(Path.Combine(folder, "audit.log")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutAnOperatorItSaysHowToMakeOne()
    {
        await Fed.RunAsync("pki", "init", "--data", folder);
        using var coordinator = new FedProcess("serve", "--data", folder, "--listen", $"https://0.0.0.0:{Ports.Take()}");
        Assert.True(await coordinator.SaysAsync("fed tokens create --role operator", TimeSpan.FromMinutes(5)), coordinator.Output);
        Assert.True(await coordinator.SaysAsync("asks for a viewer's or an operator's token", TimeSpan.FromMinutes(5)), coordinator.Output);
    }
}
