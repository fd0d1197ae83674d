using System.Text.Json;
using Federated.Simulation.Configuration;
using Federated.Simulation.Engine;

namespace Federated.Simulation.Tests.Configuration;

/// <summary>What the published sweeps ask for is written rightly, and allowed.</summary>
public sealed class SweepTests
{
    public static TheoryData<string> Sweeps => new(
        Directory.EnumerateFiles(Experiments(), "*.json", SearchOption.AllDirectories)
            .Where(file => Path.GetDirectoryName(file) != Experiments() && File.ReadAllText(file).Contains("\"axes\"", StringComparison.Ordinal)).Select(file => Path.GetRelativePath(Experiments(), file)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Sweeps))]
    public void Every_cell_can_be_composed(string sweep)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Experiments(), sweep))!;
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Experiments(), sweep)));
        IEnumerable<List<string>> cells = [[]];
        foreach (var axis in json.RootElement.GetProperty("axes").EnumerateArray().SelectMany(entry => entry.EnumerateObject()))
        {
            var values = axis.Value.EnumerateObject().Select(value => value.Value.EnumerateArray().Select(a => a.GetString()!).ToList()).ToList();
            cells = cells.SelectMany(cell => values.Select(value => (List<string>)[.. cell, .. value])).ToList();
        }

        Assert.NotEmpty(cells);
        foreach (var arguments in cells)
        {
            var file = arguments.Last(a => a.EndsWith(".yaml", StringComparison.Ordinal));
            var sets = arguments.Where(a => !a.EndsWith(".yaml", StringComparison.Ordinal)).Select(a => a.Split(".yaml: ", 2))
                .Where(parts => parts.Length == 1 || parts[0] + ".yaml" == file).Select(parts => parts[^1]).ToArray();
            var result = ConfigurationFile.Load<ExperimentConfiguration>(Path.Combine(folder, file), sets);
            Assert.True(result.IsValid, $"{sweep}: {string.Join(" ", arguments)}\n{string.Join("\n", result.Errors)}");
            var partition = result.Value!.Data?.Partition;
            var clients = partition?.GetType().GetProperty("Clients")?.GetValue(partition) as int? ?? Math.Max(result.Value.Clients.Count, 10_000);
            StrategyGuard.Check(result.Value.Strategy, clients);
        }
    }

    private static string Experiments()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Federated.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("Federated.sln is in no folder above the tests.");
        }

        return Path.Combine(folder.FullName, "experiments");
    }
}
