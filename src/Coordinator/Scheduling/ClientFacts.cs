namespace Federated.Coordinator.Scheduling;

/// <summary>What a run knows of one client.</summary>
/// <param name="Examples">n_i as last told; 0 when unknown.</param>
/// <param name="Dispatched">Assignments given to it so far.</param>
/// <param name="AcceptedUpdates">Updates accepted from it so far.</param>
/// <param name="SecondsPerStep">Smoothed seconds per local step, measured from dispatch to arrival; 0 before the first update.</param>
/// <param name="LastIncludedIn">The version whose aggregate last had an update of it; 0 before the first.</param>
/// <param name="LastDispatchedAt">Seconds on the run's clock; −∞ before the first assignment.</param>
public readonly record struct ClientFacts(
    double Examples, int Dispatched, int AcceptedUpdates, int LastIncludedIn, double SecondsPerStep, double LastDispatchedAt);
