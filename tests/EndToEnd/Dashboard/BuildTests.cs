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

    private async Task<string[]> BuildAsync(string? path = null)
    {
        var (code, output) = await RunAsync(path);
        Assert.True(code == 0, output);
        return await File.ReadAllLinesAsync(Path.Combine(folder, "embedded.txt"));
    }

    private async Task<(int Code, string Output)> RunAsync(string? path, params string[] options)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["msbuild", "look.proj", "-t:Look", "-v:quiet", "-nologo", "-nodeReuse:false", .. options])
        {
            WorkingDirectory = folder,
        };
        if (path is not null)
        {
            start.FileName = Real("dotnet");
            start.Environment["PATH"] = path;
        }

        var (code, output, error) = await Programs.RunAsync(start);
        return (code, output + error);
    }

    private static string Real(string name) => Programs.Find(name) ?? throw new InvalidOperationException($"There is no {name} here.");

    [Fact]
    public async Task WithoutNodeItSaysSoAndEverythingElseIsBuilt()
    {
        Assert.Empty(await BuildAsync(NoNode));
        Assert.Contains("Node.js", await File.ReadAllTextAsync(Problem), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhereItIsRequiredItsAbsenceIsAnError()
    {
        var (code, output) = await RunAsync(NoNode, "-p:RequireDashboard=true");
        Assert.NotEqual(0, code);
        Assert.Contains("Node.js 20.19 or later was not found", output, StringComparison.Ordinal);
    }

    /// <summary>Restores packages from the feed, so it is asked for.</summary>
    [BrowserFact]
    public async Task AFreshCloneGetsItsPagesAndBuildsThemAgainWhenASourceChanges()
    {
        await BuildAsync(NoNode); // Somebody built before installing Node.js.
        var embedded = await BuildAsync();
        Assert.Contains("dashboard/index.html", embedded);
        Assert.Contains(embedded, name => name.StartsWith("dashboard/assets/", StringComparison.Ordinal) && name.EndsWith(".js", StringComparison.Ordinal));
        Assert.False(File.Exists(Problem));

        var built = File.GetLastWriteTimeUtc(Page);
        await BuildAsync();
        Assert.Equal(built, File.GetLastWriteTimeUtc(Page));

        await File.AppendAllTextAsync(Path.Combine(folder, "dashboard", "src", "style.css"), "\n");
        await BuildAsync();
        Assert.True(File.GetLastWriteTimeUtc(Page) > built);

        Directory.Delete(Path.Combine(folder, "artifacts", "dashboard"), recursive: true);
        Directory.Delete(Path.Combine(folder, "dashboard", "node_modules"), recursive: true);
        Assert.Contains("dashboard/index.html", await BuildAsync());
    }
}
