using Federated.Simulation.Results;

namespace Federated.Simulation.Reports;

/// <summary>Everything a report is made of.</summary>
/// <param name="Configuration">The resolved configuration, as YAML.</param>
/// <param name="Partition">Null in a run without data.</param>
public sealed record ReportInput(RunSummary Summary, string Configuration, ReportCollector Collected, PartitionPicture? Partition);
