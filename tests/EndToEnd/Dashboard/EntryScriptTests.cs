using System.Diagnostics;

namespace Federated.EndToEnd.Dashboard;

/// <summary><c>./fed</c> around its quiet builds, with a <c>dotnet</c> that only pretends: what it says of a build without pages, and when it builds again.</summary>
public sealed class EntryScriptTests : IDisposable
{
    private const string Pretender = """
        #!/usr/bin/env bash
        case $1 in
          build)
            mkdir -p artifacts/bin/Cli/release && touch artifacts/bin/Cli/release/fed.dll && echo x >>builds
            if command -v node >/dev/null; then rm -f artifacts/dashboard.problem; else echo 'no pages: install Node.js' >artifacts/dashboard.problem; fi
            echo 'Build succeeded.' ;;
          *) echo 'it ran' ;;
        esac
        """;

    private static readonly string[] Tools = ["bash", "env", "cat", "find", "grep", "sort", "head", "mkdir", "rm", "mv", "dirname", "readlink", "sed", "touch", "flock"];

    private readonly string folder = Directory.CreateTempSubdirectory("fed-script-").FullName;

    public EntryScriptTests()
    {
        foreach (var name in (string[])["src", "eng", "experiments", "dashboard/src", "bin"])
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
        }

        File.Copy(Path.Combine(Build.RepositoryRoot, "fed"), Path.Combine(folder, "fed"));
        File.WriteAllText(Path.Combine(folder, "eng", "engines.props"), "<Project />");
        File.WriteAllText(Path.Combine(folder, "global.json"), "{}");
        if (!OperatingSystem.IsWindows())
        {
            foreach (var tool in Tools)
            {
                if (Programs.Find(tool) is { } real)
                {
                    File.CreateSymbolicLink(Path.Combine(folder, "bin", tool), real);
                }
            }
        }
    }

    private int Builds => File.ReadAllLines(Path.Combine(folder, "builds")).Length;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task ABuildWithoutPagesIsToldAndIsDoneAgainOnceThereIsNode()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // fed.cmd leaves what is up to date to MSBuild.
        }

        Script("dotnet", Pretender);
        Assert.Contains("no pages: install Node.js", await RunAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("no pages", await RunAsync(), StringComparison.Ordinal);
        Assert.Equal(1, Builds);

        Script("node", "#!/usr/bin/env bash\n");
        Assert.DoesNotContain("no pages", await RunAsync(), StringComparison.Ordinal);
        Assert.Equal(2, Builds);
    }

    private void Script(string name, string text)
    {
        var path = Path.Combine(folder, "bin", name);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <returns>What it said on standard error.</returns>
    private async Task<string> RunAsync()
    {
        var start = new ProcessStartInfo(Path.Combine(folder, "bin", "bash"), ["fed", "demo"]) { WorkingDirectory = folder };
        start.Environment["PATH"] = Path.Combine(folder, "bin");
        start.Environment.Remove("CI");
        var (_, output, error) = await Programs.RunAsync(start);
        Assert.Equal("it ran\n", output);
        return error;
    }
}
