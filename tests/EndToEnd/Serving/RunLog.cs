namespace Federated.EndToEnd.Serving;

/// <summary>The log of the only run of a coordinator on files, seen from outside.</summary>
internal static class RunLog
{
    /// <summary>How far it has come; another value when it has come further.</summary>
    /// <param name="coordinator">The coordinator's data directory.</param>
    public static (string File, long Bytes) End(string coordinator)
    {
        var runs = new DirectoryInfo(Path.Combine(coordinator, "store", "runs"));
        var last = runs.Exists ? runs.EnumerateFiles("log-*", SearchOption.AllDirectories).OrderBy(f => f.Name, StringComparer.Ordinal).LastOrDefault() : null;
        return last is null ? ("", 0L) : (last.Name, last.Length);
    }

    /// <summary>Waits until it holds something more.</summary>
    public static async Task GrowsAsync(string coordinator, CancellationToken cancellation)
    {
        var before = End(coordinator);
        while (before == End(coordinator))
        {
            await Task.Delay(5, cancellation);
        }
    }
}
