// ./fed engines [--probe] [--timeout SECONDS]
//
// Orleans and TorchSharp come from the package feed, and some feeds do not carry them. This restores a one-line project per
// engine in a temporary folder and writes what it found to eng/engines.props, which Directory.Build.props imports.
using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Xml.Linq;

var root = Path.GetDirectoryName((string)AppContext.GetData("EntryPointFileDirectoryPath")!)!;
var marker = Path.Combine(root, "eng", "engines.props");
var timeout = TimeSpan.FromMinutes(10);
var probe = false;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--probe":
            probe = true;
            break;
        case "--timeout" when i + 1 < args.Length && double.TryParse(args[i + 1], out var seconds) && seconds > 0:
            timeout = TimeSpan.FromSeconds(seconds);
            i++;
            break;
        default:
            var asked = args[i] is "--help" or "-h";
            (asked ? Console.Out : Console.Error).WriteLine(
                """
                usage: ./fed engines                      say which optional engines this build has
                       ./fed engines --probe              ask the package feed again (after adding a feed, for example)
                       ./fed engines --probe --timeout 60 give up after 60 seconds per engine; the default is 600
                Another version is named by the environment: OrleansVersion=10.4.1 ./fed engines --probe
                """);
            return asked ? 0 : 2;
    }
}

Engine[] engines =
[
    new("Orleans", "coordinators in a cluster", VersionOf("OrleansVersion"),
        [
            "Microsoft.Orleans.Server", "Microsoft.Orleans.Client", "Microsoft.Orleans.Connections.Security", "Microsoft.Orleans.Clustering.AdoNet", "Microsoft.Orleans.Reminders.AdoNet",
            "Microsoft.Orleans.TestingHost",
        ]),
    new("TorchSharp", "training of PyTorch modules", VersionOf("TorchSharpVersion"), ["TorchSharp-cpu"]),
];

if (!probe && File.Exists(marker))
{
    var known = XDocument.Load(marker).Descendants().Where(e => !e.HasElements).ToDictionary(e => e.Name.LocalName, e => e.Value);
    foreach (var engine in engines)
    {
        var isIn = known.GetValueOrDefault($"Enable{engine.Name}") == "true";
        var version = known.GetValueOrDefault($"{engine.Name}Version", engine.Version);
        Console.WriteLine($"{engine.Name} {version}: {(isIn ? "in." : $"out ({known.GetValueOrDefault($"{engine.Name}Reason", "no reason kept")}). {engine.HowToGet}")}");
    }

    return 0;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

var reasons = await Task.WhenAll(engines.Select(engine => ReasonItIsOut(engine)));
if (stop.IsCancellationRequested)
{
    return 130;
}

var properties = new XElement("PropertyGroup");
foreach (var (engine, reason) in engines.Zip(reasons))
{
    properties.Add(Property($"Enable{engine.Name}", reason is null ? "true" : "false"), Property($"{engine.Name}Version", engine.Version));
    if (reason is not null)
    {
        properties.Add(Property($"{engine.Name}Reason", reason));
    }

    Console.WriteLine($"{engine.Name} {engine.Version}: {(reason is null ? $"in ({engine.Purpose})." : $"out ({reason}). {engine.HowToGet}")}");
}

var document = new XElement("Project", new XComment(" Written by the probe of ./fed engines; not for version control. "), properties);
var temporary = marker + ".new";
File.WriteAllText(temporary, document + "\n");
File.Move(temporary, marker, overwrite: true);
return 0;

static XElement Property(string name, string value) => new(name, new XAttribute("Condition", $"'$({name})' == ''"), value);

// The environment first, as in MSBuild; else the default that Directory.Build.props gives.
string VersionOf(string property) => Environment.GetEnvironmentVariable(property) is { Length: > 0 } version
    ? version
    : XDocument.Load(Path.Combine(root, "Directory.Build.props")).Descendants(property).Single().Value;

// Null when the feed has every package of the engine, with all that they depend on.
async Task<string?> ReasonItIsOut(Engine engine)
{
    var folder = Directory.CreateTempSubdirectory($"fed-probe-{engine.Name}-").FullName;
    try
    {
        foreach (var config in Directory.EnumerateFiles(root).Where(f => Path.GetFileName(f).Equals("nuget.config", StringComparison.OrdinalIgnoreCase)))
        {
            File.Copy(config, Path.Combine(folder, "nuget.config"));
        }

        var project = Path.Combine(folder, "probe.csproj");
        File.WriteAllText(project, new XElement("Project", new XAttribute("Sdk", "Microsoft.NET.Sdk"),
            new XElement("PropertyGroup", new XElement("TargetFramework", "net10.0"), new XElement("NuGetAudit", "false"), new XElement("WarningsAsErrors", "NU1603")),
            new XElement("ItemGroup", new XElement("FrameworkReference", new XAttribute("Include", "Microsoft.AspNetCore.App"))),
            new XElement("ItemGroup", engine.Packages.Select(package =>
                new XElement("PackageReference", new XAttribute("Include", package), new XAttribute("Version", $"[{engine.Version}]"))))).ToString());

        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var argument in (string[])["restore", project, "-v", "quiet", "-nologo", "--disable-build-servers"])
        {
            start.ArgumentList.Add(argument);
        }

        // This program was itself started by dotnet run, whose MSBuild settings must not leak into the probe.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        limit.CancelAfter(timeout);
        using var process = Process.Start(start)!;
        try
        {
            var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0 ? null : Explain(string.Concat(output), engine);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return $"the package feed did not deliver within {timeout.TotalSeconds:0} s";
        }
    }
    finally
    {
        Directory.Delete(folder, recursive: true);
    }
}

static string Explain(string output, Engine engine)
{
    if (output.Contains("NU1301", StringComparison.Ordinal))
    {
        return "the package feed could not be reached";
    }

    var missing = Regex.Matches(output, "Unable to find (?:a stable )?package ([A-Za-z0-9._-]*[A-Za-z0-9])")
        .Select(m => m.Groups[1].Value).Distinct().OrderByDescending(engine.Packages.Contains).ThenBy(name => name, StringComparer.Ordinal).ToList();
    return missing.Count > 0
        ? $"the package feed lacks {string.Join(", ", missing.Take(3))}{(missing.Count > 3 ? $" and {missing.Count - 3} more" : "")}"
        : output.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal))?.Trim() ?? $"the restore of {engine.Packages[0]} failed";
}

internal sealed record Engine(string Name, string Purpose, string Version, string[] Packages)
{
    public string HowToGet => $"For {Purpose}: add a feed that has it (dotnet nuget add source URL), then ./fed engines --probe.";
}
