using System.Diagnostics;
using System.Globalization;
using Federated.EndToEnd.Serving;
using Federated.Protocol.Local;

namespace Federated.EndToEnd.Cluster;

/// <summary><c>fed silo</c>, or <c>fed serve</c>, as a process that can be stopped, killed, and started again in its place.</summary>
/// <param name="folder">It keeps its own in a folder of its name there.</param>
/// <param name="store">Its <c>--store</c>.</param>
/// <param name="more">Arguments beside those that it needs.</param>
internal sealed class SiloProcess(string name, string folder, string store, bool isSilo = true, params string[] more) : IDisposable
{
    public const string Files = "files";

    private readonly List<string?> log = [];
    private Process? process;

    /// <summary>Where other silos reach it.</summary>
    public int Port { get; } = isSilo ? Ports.Take() : 0;

    public Uri Url { get; } = new($"http://127.0.0.1:{Ports.Take()}");

    public void Start()
    {
        var start = new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "fed.dll"), isSilo ? "silo" : "serve", "--data", Path.Combine(folder, name), "--store", store, "--listen", Url.ToString().TrimEnd('/'),
            .. isSilo ? (string[])["--name", name, "--port", Port.ToString(CultureInfo.InvariantCulture), "--probe-seconds", "1"] : [], .. more,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["FED_HOME"] = Fed.Home;
        start.Environment["DOTNET_TieredPGO"] = "0"; // Most of these live for seconds.
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // Whoever is killed leaves its diagnostic ports lying in /tmp.
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public async Task ReadyAsync(CancellationToken cancellation)
    {
        using var http = new HttpClient();
        for (;;)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(Url, "/readyz"), cancellation);
                if (answer.IsSuccessStatusCode && LocalCoordinator.Find(Url) is not null)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            Assert.False(process!.HasExited, $"Silo {name} ended with {(process.HasExited ? process.ExitCode : 0)}:\n{Log}");
            await Task.Delay(50, cancellation);
        }
    }

    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    /// <summary>Stops it as a service manager does.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync(CancellationToken cancellation)
    {
        using (var kill = Process.Start("kill", ["-TERM", process!.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(cancellation);
        }

        await process.WaitForExitAsync(cancellation);
        var code = process.ExitCode;
        process.Dispose();
        process = null;
        return code;
    }

    public string Log
    {
        get
        {
            lock (log)
            {
                return string.Join('\n', log.TakeLast(40));
            }
        }
    }

    public void Dispose()
    {
        process?.Kill();
        process?.WaitForExit(); // Its folder is deleted next.
        process?.Dispose();
    }

    private void Note(string? line)
    {
        lock (log)
        {
            log.Add(line);
        }
    }
}
