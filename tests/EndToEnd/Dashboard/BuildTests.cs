using System.Diagnostics;

namespace Federated.EndToEnd.Dashboard;

/// <summary>
/// <c>dashboard/Dashboard.targets</c> on a copy of the tracked sources, as in a fresh clone: what it builds, when it builds again, and what it
/// says where it cannot.
/// </summary>
public sealed class BuildTests : IDisposable
{
    private const string Look = """
        <Project>
          <PropertyGroup><ArtifactsPath>$(MSBuildThisFileDirectory)artifacts</ArtifactsPath></PropertyGroup>
          <Import Project="dashboard/Dashboard.targets" />
          <Target Name="AssignTargetPaths" />
          <Target Name="Look" DependsOnTargets="EmbedDashboard">
            <WriteLinesToFile File="embedded.txt" Lines="@(EmbeddedResource->'%(LogicalName)')" Overwrite="true" />
          </Target>
        </Project>
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("fed-clone-").FullName;

    public BuildTests()
    {
        File.WriteAllText(Path.Combine(folder, "look.proj"), Look);
        foreach (var file in Directory.EnumerateFiles(BrowserTests.Dashboard, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(BrowserTests.Dashboard, file);
            if (!name.StartsWith("node_modules", StringComparison.Ordinal))
            {
                var copy = Path.Combine(folder, "dashboard", name);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }
    }

    private string Page => Path.Combine(folder, "artifacts", "dashboard", "index.html");

    private string Problem => Path.Combine(folder, "artifacts", "dashboard.problem");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>A machine that has a shell and no Node.js.</summary>
    private string NoNode
    {
        get
        {
            var bin = Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName;
            if (!OperatingSystem.IsWindows() && !File.Exists(Path.Combine(bin, "sh")))
            {
                File.CreateSymbolicLink(Path.Combine(bin, "sh"), Real("sh"));
            }

            return bin;
        }
    }

    private string[] Build(string? path = null)
    {
        var (code, output) = Run(path);
        Assert.True(code == 0, output);
        return File.ReadAllLines(Path.Combine(folder, "embedded.txt"));
    }

    private (int Code, string Output) Run(string? path, params string[] options)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["msbuild", "look.proj", "-t:Look", "-v:quiet", "-nologo", "-nodeReuse:false", .. options])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (path is not null)
        {
            start.FileName = Real("dotnet");
            start.Environment["PATH"] = path;
        }

        using var build = Process.Start(start)!;
        var errors = build.StandardError.ReadToEndAsync();
        var output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        return (build.ExitCode, output + errors.Result);
    }

    /// <summary>A program of this machine; null when there is none.</summary>
    internal static string? Find(string name) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    private static string Real(string name) => Find(name) ?? throw new InvalidOperationException($"There is no {name} here.");

    [Fact]
    public void WithoutNodeItSaysSoAndEverythingElseIsBuilt()
    {
        Assert.Empty(Build(NoNode));
        Assert.Contains("Node.js", File.ReadAllText(Problem), StringComparison.Ordinal);
    }

    [Fact]
    public void WhereItIsRequiredItsAbsenceIsAnError()
    {
        var (code, output) = Run(NoNode, "-p:RequireDashboard=true");
        Assert.NotEqual(0, code);
        Assert.Contains("Node.js 20.19 or later was not found", output, StringComparison.Ordinal);
    }

    /// <summary>Restores packages from the feed, so it is asked for.</summary>
    [BrowserFact]
    public void AFreshCloneGetsItsPagesAndBuildsThemAgainWhenASourceChanges()
    {
        Build(NoNode); // Somebody built before installing Node.js.
        var embedded = Build();
        Assert.Contains("dashboard/index.html", embedded);
        Assert.Contains(embedded, name => name.StartsWith("dashboard/assets/", StringComparison.Ordinal) && name.EndsWith(".js", StringComparison.Ordinal));
        Assert.False(File.Exists(Problem));

        var built = File.GetLastWriteTimeUtc(Page);
        Build();
        Assert.Equal(built, File.GetLastWriteTimeUtc(Page));

        File.AppendAllText(Path.Combine(folder, "dashboard", "src", "style.css"), "\n");
        Build();
        Assert.True(File.GetLastWriteTimeUtc(Page) > built);

        Directory.Delete(Path.Combine(folder, "artifacts", "dashboard"), recursive: true);
        Directory.Delete(Path.Combine(folder, "dashboard", "node_modules"), recursive: true);
        Assert.Contains("dashboard/index.html", Build());
    }
}
