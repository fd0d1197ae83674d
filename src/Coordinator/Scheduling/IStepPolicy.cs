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
    public string Name => StepPolicies.Fixed;

    public LocalWork WorkFor(ISchedulingContext run, ClientId client) => work;
}
