using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Federated.EndToEnd.Architecture;

/// <summary>Holds the arrows between projects, and the purity of the two at the bottom.</summary>
public sealed class DependencyArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Aggregation"] = [],
        ["Privacy"] = ["Aggregation"],
        ["Protocol"] = ["Aggregation", "Privacy"],
        ["Training"] = ["Aggregation"],
        ["Client"] = ["Aggregation", "Privacy", "Protocol"],
        ["Client.TorchSharp"] = ["Aggregation", "Privacy", "Protocol", "Client", "Training"],
        ["Coordinator"] = ["Aggregation", "Privacy", "Protocol"],
        ["Shuffler"] = ["Privacy", "Protocol"], // Another operator runs it: nothing of the coordinator's may be in it.
        ["Coordinator.Orleans"] = ["Aggregation", "Privacy", "Protocol", "Coordinator", "Shuffler"], // Grains of both, for clusters of two operators.
        ["Simulation"] = ["Aggregation", "Privacy", "Protocol", "Client", "Training", "Coordinator"],
        ["Cli"] = ["Aggregation", "Privacy", "Protocol", "Client", "Client.TorchSharp", "Training", "Coordinator", "Coordinator.Orleans", "Simulation", "Shuffler"],
    };

    public static TheoryData<string> Projects => [.. Allowed.Keys];

    [Fact]
    public void EveryProjectUnderSrcHasItsArrowsHere()
    {
        var found = Directory.EnumerateFiles(Path.Combine(Build.RepositoryRoot, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetFileNameWithoutExtension(path)!);
        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void TheAssemblyReferencesOnlyWhatItsArrowsAllow(string project)
    {
        var own = Load(project).GetReferencedAssemblies().Select(name => name.Name!)
            .Where(name => name.StartsWith("Federated.", StringComparison.Ordinal) || name == "fed").Order(StringComparer.Ordinal);
        Assert.Empty(own.Except(Allowed[project].Select(name => $"Federated.{name}")));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void TheProjectFileReferencesOnlyWhatItsArrowsAllow(string project)
    {
        var file = Path.Combine(Build.RepositoryRoot, "src", project, $"{project}.csproj");
        var referenced = XDocument.Load(file).Descendants("ProjectReference").Select(e => Path.GetFileNameWithoutExtension((string)e.Attribute("Include")!));
        Assert.Empty(referenced.Except(Allowed[project]));
    }

    [Theory]
    [InlineData("Aggregation")]
    [InlineData("Privacy")]
    public void ThePureProjectsReferenceNoHostingNoNetworkAndNoConsole(string project)
    {
        string[] forbidden = ["Microsoft.", "System.Net", "System.Console", "System.IO", "System.Diagnostics.Process", "Npgsql", "YamlDotNet", "Spectre", "OpenTelemetry"];
        var references = Load(project).GetReferencedAssemblies().Select(name => name.Name!);
        Assert.DoesNotContain(references, name => forbidden.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Aggregation")]
    [InlineData("Privacy")]
    public void ThePureProjectsTouchNoFileAndNoClock(string project)
    {
        string[] forbidden =
        [
            "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo",
            "System.Diagnostics.Stopwatch", "System.TimeProvider", "System.Random", "System.Threading.Timer", "System.Threading.PeriodicTimer",
        ];
        using var stream = File.OpenRead(Load(project).Location);
        using var image = new PEReader(stream);
        var metadata = image.GetMetadataReader();
        var used = metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}").ToHashSet();
        Assert.Empty(used.Intersect(forbidden));
    }

    private static Assembly Load(string project) => Assembly.Load(project == "Cli" ? "fed" : $"Federated.{project}");
}
