namespace Federated.Simulation.Studies;

/// <summary>The studies there are, by name.</summary>
public static class PrivacyStudies
{
    public static IReadOnlyList<Study> All { get; } = 
    [
        new ShuffleOptimizationStudy(), new ContinualCounterStudy(), new AsynchronousLedgerStudy(),
        new HeavyHitterStudy(), new PoisoningStudy(), new LinearBanditStudy(), new SparseRegressionStudy(),
    ];

    public static string Names { get; } = string.Join(", ", All.Select(s => s.Name));
}
