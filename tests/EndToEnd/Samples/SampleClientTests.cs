using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Federated.EndToEnd.Interoperability;
using Federated.EndToEnd.Serving;

namespace Federated.EndToEnd.Samples;

/// <summary>The clients under samples/ take part in a real run.</summary>
public sealed class SampleClientTests : IDisposable
{
    private const string Experiment = """
        name: readings
        input: { shape: [2], classes: 2 }
        model: { kind: softmax }
        training: { kind: local, epochs: 3, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.3 } }
        strategy: { scheduler: { kind: synchronous, cohort: 1 } }
        run: { stop: { versions: 4 } }
        clients: { count: 1 }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("federated-sample-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [PythonFact]
    public Task PythonWithItsStandardLibraryAloneTakesPart() =>
        TakesPartAsync(url => ["python3", Path.Combine(Build.RepositoryRoot, "samples", "python", "federated_client.py"), url, "readings", At("state.json")]);

    [NativeFact]
    public async Task ADeviceCompiledAheadOfTimeTakesPart()
    {
        await PublishAsync();
        Assert.Single(Directory.EnumerateFiles(At("device")), file => !file.EndsWith(".dbg", StringComparison.Ordinal));
        await TakesPartAsync(url => [Path.Combine(At("device"), "console-device"), url, "readings", At("state")]);
    }

    [SlowFact]
    public async Task ATrimmedDeviceTakesPart()
    {
        await PublishAsync("-p:PublishAot=false", "-p:PublishTrimmed=true", "-p:TrimMode=full", "--self-contained");
        await TakesPartAsync(url => [Path.Combine(At("device"), "console-device"), url, "readings", At("state")]);
    }

    private async Task PublishAsync(params string[] options)
    {
        string[] arguments = ["publish", Path.Combine(Build.RepositoryRoot, "samples", "ConsoleDevice"), "-r", RuntimeInformation.RuntimeIdentifier, "-o", At("device"), "-v", "q", "-nodeReuse:false", .. options];
        var (code, output) = await RunAsync("dotnet", arguments);
        Assert.True(code == 0, output);
    }

    private async Task TakesPartAsync(Func<string, string[]> command)
    {
        File.WriteAllText(At("readings.yaml"), Experiment);
        File.WriteAllLines(At("readings.csv"), Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? $"-1.{i},-0.{i},0" : $"1.{i},0.{i},1").Prepend("x,y,label"));
        await using var coordinator = await ServedCoordinator.StartAsync(At("coordinator"));
        await Fed.RunAsync("runs", "create", At("readings.yaml"), "--id", "readings", "--url", coordinator.Url);
        using var left = JsonDocument.Parse(File.ReadAllText(Path.Combine(Fed.Home, "coordinators", $"localhost-{new Uri(coordinator.Url).Port}.json")));
        var token = left.RootElement.GetProperty("enrolmentToken").GetString()!;
        var line = command(coordinator.Url);
        var (code, output) = await RunAsync(line[0], [.. line[1..], At("readings.csv"), token]);
        Assert.True(code == 0, output);
        var shown = await Fed.RunAsync("runs", "show", "readings", "--url", coordinator.Url);
        Assert.Contains("4 accepted, 0 rejected, 0 lost of 4", shown, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await using var end = limit.Token.UnsafeRegister(_ => process.Kill(entireProcessTree: true), null); // Its output ends with it.
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None) + await error;
        await process.WaitForExitAsync(CancellationToken.None);
        return (process.ExitCode, output);
    }

    private string At(string name) => Path.Combine(folder, name);
}
