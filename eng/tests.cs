// ./fed test [PROJECT...] [args of dotnet test]
//
// Runs every built test project, two at a time, and ends with one line: tests: N passed, N failed, N skipped.
// Exit code 0 when every test passed and there was at least one; 1 otherwise.
using System.Diagnostics;
using System.Globalization;
using System.Xml.Linq;

var root = Path.GetDirectoryName((string)AppContext.GetData("EntryPointFileDirectoryPath")!)!;
var results = Path.Combine(root, "artifacts", "test-results");
var projects = Directory.EnumerateFiles(Path.Combine(root, "tests"), "*.csproj", SearchOption.AllDirectories)
    .Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal).ToList();

// Leading words name projects (Aggregation, or Aggregation.Tests); the rest belongs to dotnet test.
var named = args.TakeWhile(argument => !argument.StartsWith('-')).ToList();
var passOn = args.Skip(named.Count).ToList();
foreach (var name in named.Where(name => !projects.Any(project => Names(name, project))))
{
    Console.Error.WriteLine($"There is no test project '{name}'; there are {string.Join(", ", projects)}.");
    return 2;
}

var chosen = projects.Where(project => named.Count == 0 || named.Any(name => Names(name, project))).ToList();
if (Directory.Exists(results))
{
    Directory.Delete(results, recursive: true);
}

Directory.CreateDirectory(results);
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

var outcomes = new List<Outcome>();
using var output = new SemaphoreSlim(1);
try
{
    await Parallel.ForEachAsync(chosen, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = stop.Token }, async (project, token) =>
    {
        var outcome = await RunProject(project, token);
        await output.WaitAsync(token);
        outcomes.Add(outcome);
        Print(outcome);
        output.Release();
    });
}
catch (OperationCanceledException)
{
    Console.WriteLine("interrupted");
    return 130;
}

var broken = outcomes.Where(outcome => outcome.Broken is not null).ToList();
int passed = outcomes.Sum(o => o.Passed), failed = outcomes.Sum(o => o.Failed), skipped = outcomes.Sum(o => o.Skipped);
Console.WriteLine();
foreach (var outcome in broken)
{
    Console.WriteLine($"{outcome.Project}: {outcome.Broken}");
}

foreach (var line in LeftOut(root).Where(line => chosen.Contains(line.Project)))
{
    Console.WriteLine(line.Text);
}

if (passed + failed == 0)
{
    Console.WriteLine("No test ran; is the filter right? For example: --filter FullyQualifiedName~Krum");
}

Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"tests: {passed} passed, {failed} failed, {skipped} skipped"));
return failed == 0 && broken.Count == 0 && passed > 0 ? 0 : 1;

// The projects of engines that the package feed lacks compile empty: nothing of theirs was tested.
static IEnumerable<(string Project, string Text)> LeftOut(string root)
{
    var marker = Path.Combine(root, "eng", "engines.props");
    var known = File.Exists(marker)
        ? XDocument.Load(marker).Descendants().Where(e => !e.HasElements).ToDictionary(e => e.Name.LocalName, e => e.Value)
        : [];
    foreach (var (engine, project) in ((string, string)[])[("Orleans", "Coordinator.Orleans.Tests"), ("TorchSharp", "Client.TorchSharp.Tests")])
    {
        var isIn = Environment.GetEnvironmentVariable($"Enable{engine}") ?? known.GetValueOrDefault($"Enable{engine}") ?? "false";
        if (!isIn.Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            yield return (project, $"left out: {project}, without {engine} ({known.GetValueOrDefault($"{engine}Reason", "the package feed was not asked")}). "
                + "To run them: add a feed that has it (dotnet nuget add source URL), then ./fed engines --probe.");
        }
    }
}

static bool Names(string name, string project) =>
    project.Equals(name, StringComparison.OrdinalIgnoreCase) || project.Equals($"{name}.Tests", StringComparison.OrdinalIgnoreCase);

async Task<Outcome> RunProject(string project, CancellationToken token)
{
    var assembly = Path.Combine(root, "artifacts", "bin", project, "release", $"Federated.{project}.dll");
    if (!File.Exists(assembly))
    {
        return new Outcome(project, TimeSpan.Zero) { Broken = $"is not built ({assembly} is missing)" };
    }

    var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = root };
    foreach (var argument in (string[])["test", assembly, "--nologo", "--results-directory", results, "--logger", $"trx;LogFileName={project}.trx", .. passOn])
    {
        start.ArgumentList.Add(argument);
    }

    // Left by the dotnet run that started this program; it would point the inner dotnet at this program's build.
    foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
    {
        start.Environment.Remove(name);
    }

    var clock = Stopwatch.StartNew();
    using var process = Process.Start(start)!;
    string[] text;
    try
    {
        text = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(token), process.StandardError.ReadToEndAsync(token));
        await process.WaitForExitAsync(token);
    }
    catch (OperationCanceledException)
    {
        process.Kill(entireProcessTree: true);
        throw;
    }

    var log = Path.Combine(results, $"{project}.log");
    await File.WriteAllTextAsync(log, string.Concat(text), token);
    return Read(project, Path.Combine(results, $"{project}.trx"), clock.Elapsed, process.ExitCode, log);
}

static Outcome Read(string project, string trx, TimeSpan took, int exitCode, string log)
{
    if (!File.Exists(trx))
    {
        // A project without any test writes no results; so does a test host that could not start.
        return new Outcome(project, took) { Broken = exitCode == 0 ? null : $"ended with exit code {exitCode} and no results; see {log}" };
    }

    XNamespace ns = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";
    var document = XDocument.Load(trx);
    var tests = document.Descendants(ns + "UnitTestResult").ToList();
    var failures = tests.Where(test => (string?)test.Attribute("outcome") is not ("Passed" or "NotExecuted")).Select(test => new Failure(
        (string?)test.Attribute("testName") ?? "?",
        test.Descendants(ns + "Message").FirstOrDefault()?.Value ?? "",
        test.Descendants(ns + "StackTrace").FirstOrDefault()?.Value ?? "")).ToList();
    var summary = document.Descendants(ns + "ResultSummary").FirstOrDefault();
    var runErrors = summary?.Descendants(ns + "RunInfo").Where(i => (string?)i.Attribute("outcome") == "Error").Select(i => i.Value.Trim()).ToList() ?? [];
    return new Outcome(project, took)
    {
        Passed = tests.Count(test => (string?)test.Attribute("outcome") == "Passed"),
        Skipped = tests.Count(test => (string?)test.Attribute("outcome") == "NotExecuted"),
        Failures = failures,
        Broken = runErrors.Count > 0 ? $"{string.Join(" ", runErrors)}; see {log}"
            : exitCode != 0 && failures.Count == 0 ? $"ended with exit code {exitCode}; see {log}" : null,
    };
}

static void Print(Outcome outcome)
{
    foreach (var failure in outcome.Failures)
    {
        Console.WriteLine($"FAILED {failure.Name}");
        foreach (var line in $"{failure.Message}\n{failure.StackTrace}".Split('\n').Where(line => line.Trim().Length > 0).Take(40))
        {
            Console.WriteLine($"    {line.TrimEnd()}");
        }
    }

    var state = outcome.Broken is not null ? "BROKEN" : outcome.Failed > 0 ? "failed" : outcome.Passed > 0 ? "passed" : "empty ";
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{outcome.Project,-24} {state}  {outcome.Passed} passed, {outcome.Failed} failed, {outcome.Skipped} skipped  ({outcome.Took.TotalSeconds:0.0} s)"));
}

internal sealed record Failure(string Name, string Message, string StackTrace);

internal sealed record Outcome(string Project, TimeSpan Took)
{
    public int Passed { get; init; }

    public int Skipped { get; init; }

    public List<Failure> Failures { get; init; } = [];

    public int Failed => Failures.Count;

    /// <summary>Why the run itself did not end well, beyond failed tests; null when it did.</summary>
    public string? Broken { get; init; }
}
