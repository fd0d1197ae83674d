namespace Federated.Protocol;

/// <summary>A lease to train from a model version.</summary>
/// <param name="BaseVersion">The version to start from, b.</param>
/// <param name="Work">Local steps or epochs asked.</param>
/// <param name="DispatchedAt">Seconds on the run's clock.</param>
/// <param name="Deadline">Seconds on the run's clock at which the lease ends; +∞ for none.</param>
public sealed record Assignment(AssignmentId Id, ClientId Client, int BaseVersion, LocalWork Work, double DispatchedAt, double Deadline);
