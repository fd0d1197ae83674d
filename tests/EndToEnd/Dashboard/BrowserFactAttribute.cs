namespace Federated.EndToEnd.Dashboard;

/// <summary>A test that needs Node.js, the restored packages of <c>dashboard/</c>, and Chromium; it takes minutes, so it is asked for.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Missing() is { } missing ? missing : null!;

    private static string? Missing() =>
        Environment.GetEnvironmentVariable("FED_SLOW_TESTS") != "1" ? "It takes minutes: set FED_SLOW_TESTS=1 to run it, or run node dashboard/test/browser/run.mjs PATH_TO_fed.dll."
        : !Directory.Exists(Path.Combine(BrowserTests.Dashboard, "node_modules", "playwright-core")) ? "dashboard/node_modules is not restored: Node.js was not there when this was built."
        : null;
}
