using System.Diagnostics;

namespace Federated.EndToEnd.Dashboard;

/// <summary>The dashboard in real Chromium against a real <c>fed</c>: see <c>dashboard/test/browser/run.mjs</c>.</summary>
public class BrowserTests
{
    private const int Skipped = 77;

    internal static string Dashboard { get; } = Path.Combine(Build.RepositoryRoot, "dashboard");

    [BrowserFact]
    public async Task ThePagesWorkInABrowser()
    {
        var start = new ProcessStartInfo("node", [Path.Combine("test", "browser", "run.mjs"), Path.Combine(AppContext.BaseDirectory, "fed.dll")])
        {
            WorkingDirectory = Dashboard,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var node = Process.Start(start)!;
        var errors = node.StandardError.ReadToEndAsync();
        var output = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode is 0 or Skipped, output + await errors);
    }
}
