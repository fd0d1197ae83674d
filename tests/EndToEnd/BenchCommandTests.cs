using System.Diagnostics;

namespace Federated.EndToEnd;

/// <summary>What <c>./fed bench</c> says of a command line that names nothing, before it starts anything.</summary>
public sealed class BenchCommandTests
{
    [Theory]
    [InlineData("nonsense", "There is no benchmark 'nonsense'; one of accounting, ")]
    [InlineData("serve nonsense", "'nonsense' is no part of 'serve': one of small, large, upload, idle is needed.")]
    [InlineData("serve small nonsense", "'nonsense' is no part of 'serve': one of small, large, upload, idle is needed.")]
    [InlineData("serve --strore files", "'serve' has no option --strore; it has --store.")]
    [InlineData("serve small --store", "--store needs a value.")]
    [InlineData("codecs many", "'many' is no parameters of 'codecs': a whole number of 1 or more is needed.")]
    [InlineData("codecs 10 1 1", "'codecs' takes 2 at most, and '1' is one more.")]
    [InlineData("fuzz 10 1 nonsense", "No target's name begins with 'nonsense'; there are ")]
    [InlineData("secure-sum nonsense", "'secure-sum' takes nothing, 'masks', or two whole numbers: clients and parameters.")]
    public async Task What_is_not_there_is_refused_with_what_is(string line, string told)
    {
        var (code, output, error) = await RunAsync(line);
        Assert.True(code == 2 && error.StartsWith(told, StringComparison.Ordinal), $"{code}\n{output}\n{error}");
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Fact]
    public async Task A_benchmark_tells_its_arguments()
    {
        var (code, output, error) = await RunAsync("serve --help");
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("usage: ./fed bench serve [small|large|upload|idle]... ", output, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(string line)
    {
        var folder = AppContext.BaseDirectory.Replace($"{Path.DirectorySeparatorChar}EndToEnd{Path.DirectorySeparatorChar}", $"{Path.DirectorySeparatorChar}Benchmarks{Path.DirectorySeparatorChar}", StringComparison.Ordinal);
        return Programs.RunAsync(new ProcessStartInfo("dotnet", [Path.Combine(folder, "Federated.Benchmarks.dll"), .. line.Split(' ')]));
    }
}
