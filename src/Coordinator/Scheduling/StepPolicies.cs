namespace Federated.Coordinator.Scheduling;

/// <summary>Names of the step-count policies.</summary>
public static class StepPolicies
{
    /// <summary>The same work for everybody.</summary>
    public const string Fixed = "fixed";

    /// <summary>Steps in proportion to measured speed, so that all take about the same time.</summary>
    public const string DynamicLocalUpdates = "dylu";

    /// <summary>More steps as the learning rate decays.</summary>
    public const string QuadraticSynchronization = "qsr";
}
