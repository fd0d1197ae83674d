namespace Federated.Coordinator.Scheduling;

/// <summary>Names of the schedulers.</summary>
public static class Schedulers
{
    /// <summary>Rounds over a cohort: choose it when clients are alike, or as the baseline of everything.</summary>
    public const string Synchronous = "synchronous";

    /// <summary>FedBuff: choose it when clients differ in speed and there are many.</summary>
    public const string Buffered = "buffered";

    /// <summary>Makes the scheduler that <paramref name="options"/> describe.</summary>
    /// <param name="steps">How much work an assignment asks for.</param>
    /// <param name="weight">Weight of an update in its aggregate.</param>
    public static IScheduler Create(SchedulerOptions options, IStepPolicy steps, IUpdateWeight weight) => options switch
    {
        SynchronousOptions o => new SynchronousScheduler(o, steps, weight),
        BufferedOptions o => new BufferedScheduler(o, steps, weight),
        _ => throw new CoordinatorException($"No scheduler for {options?.GetType().Name ?? "null"}."),
    };
}
