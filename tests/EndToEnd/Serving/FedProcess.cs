using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Federated.EndToEnd.Serving;

/// <summary><c>fed client</c> in a process of its own, so that it can be killed.</summary>
internal sealed class ClientProcess(params string[] arguments) : FedProcess(["client", .. arguments]);

/// <summary>A verb of <c>fed</c> in a process of its own.</summary>
internal class FedProcess : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();

    public FedProcess(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "fed.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["FED_HOME"] = Fed.Home;
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // Whoever is killed leaves its diagnostic ports lying in /tmp.
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    public bool HasExited => process.HasExited;

    /// <summary>Waits until it has written a text; false when it ended first.</summary>
    public async Task<bool> SaysAsync(string text, TimeSpan limit)
    {
        for (var waited = TimeSpan.Zero; waited < limit; waited += TimeSpan.FromMilliseconds(20))
        {
            if (Output.Contains(text, StringComparison.Ordinal))
            {
                return true;
            }

            if (HasExited)
            {
                process.WaitForExit();
                return Output.Contains(text, StringComparison.Ordinal);
            }

            await Task.Delay(20);
        }

        return false;
    }

    /// <summary>Waits until it serves.</summary>
    public async Task ReadyAsync(string url)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var http = new HttpClient();
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(new Uri(url), "/readyz"), limit.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            Assert.False(HasExited, Output);
            await Task.Delay(20, limit.Token);
        }
    }

    /// <summary>SIGKILL: nothing is written, nothing is said.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>SIGSTOP: it stands still as with the lid closed; the world goes on.</summary>
    public void Sleep() => Signal("-STOP");

    /// <summary>SIGCONT.</summary>
    public void WakeUp() => Signal("-CONT");

    /// <summary>Kills it if it still runs, and waits until it is gone: its port and its files are free then.</summary>
    public void Dispose()
    {
        process.Kill(); // Nothing, when it has ended.
        process.WaitForExit(); // Its folder is deleted next.
        process.Dispose();
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private void Note(string? line)
    {
        lock (output)
        {
            output.AppendLine(line);
        }
    }
}
