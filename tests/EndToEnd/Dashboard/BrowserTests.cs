using System.Diagnostics;

namespace Federated.EndToEnd.Dashboard;

/// <summary>The dashboard in real Chromium against a real <c>fed</c>: see <c>dashboard/test/browser/run.mjs</c>.</summary>
public class BrowserTests
{
    private const int Skipped = 77;

    internal static string Dashboard { get; } = Path.Combine(Build.RepositoryRoot, "dashboard");

    [BrowserFact]
    public Task ThePagesWorkInABrowser() => RunAsync();

    /// <summary>The same thousand clients for as long as the acceptance asks.</summary>
    [BrowserFact]
    public Task MemoryDoesNotGrowInTenMinutes() => RunAsync("a thousand clients", ("SOAK_SECONDS", "600"));

    private static async Task RunAsync(string filter = "", params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("node", [Path.Combine("test", "browser", "run.mjs"), Path.Combine(AppContext.BaseDirectory, "fed.dll"), filter])
        {
            WorkingDirectory = Dashboard,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var node = Process.Start(start)!;
        var errors = node.StandardError.ReadToEndAsync();
        var output = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode is 0 or Skipped, output + await errors);
    }
}
