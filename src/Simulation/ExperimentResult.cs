using Federated.Aggregation.Parameters;
using Federated.Simulation.Results;

namespace Federated.Simulation;

/// <summary>What a run leaves behind: its summary, and the final model for who wants to write it down.</summary>
/// <param name="Summary">The run in one record.</param>
/// <param name="Model">Writes the final model as safetensors; null in a run without one.</param>
public sealed record ExperimentResult(RunSummary Summary, SafetensorsWriter? Model);
