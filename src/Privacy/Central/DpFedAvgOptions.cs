namespace Federated.Privacy.Central;

/// <summary>Central Gaussian noise, independent from release to release.</summary>
public sealed record DpFedAvgOptions : CentralMechanismOptions;
