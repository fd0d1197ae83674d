using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>How much local work an assignment asks for, where the scheduler does not decide that itself (as FedCompass does).</summary>
public interface IStepPolicy
{
    string Name { get; }

    LocalWork WorkFor(ISchedulingContext run, ClientId client);
}

/// <summary>The same epochs or steps for every assignment.</summary>
public sealed class FixedWork(LocalWork work) : IStepPolicy
{
    public string Name => "fixed";

    public LocalWork WorkFor(ISchedulingContext run, ClientId client) => work;
}

/// <summary>The weight of an update in its aggregate, ω(n_i)·s(τ): example weight times staleness weight.</summary>
/// <param name="examples">n_i.</param>
/// <param name="staleness">τ.</param>
public delegate double UpdateWeight(double examples, int staleness);
