using System.Diagnostics;

namespace Federated.EndToEnd;

/// <summary>Other programs, run to their end. No thread of the tests waits for them: there are few, and what goes on beside would stand still.</summary>
internal static class Programs
{
    /// <summary>Far beyond what any of them takes on a busy machine; one that hangs is ended, and its test fails instead of never ending.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>The path of a program of this machine; null when there is none.</summary>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => OperatingSystem.IsWindows() ? [Path.Combine(folder, name), Path.Combine(folder, $"{name}.exe")] : (string[])[Path.Combine(folder, name)])
        .FirstOrDefault(File.Exists);

    public static async Task<(int Code, string Output, string Error)> RunAsync(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await Task.WhenAll(output, error);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{start.FileName} {string.Join(' ', start.ArgumentList)} did not end within {Patience.TotalMinutes} minutes.");
        }
    }
}
