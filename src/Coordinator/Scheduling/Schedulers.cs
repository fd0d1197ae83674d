namespace Federated.Coordinator.Scheduling;

/// <summary>Names of the schedulers.</summary>
public static class Schedulers
{
    /// <summary>Rounds over a cohort: choose it when clients are alike, or as the baseline of everything.</summary>
    public const string Synchronous = "synchronous";

    /// <summary>Rounds by coins: choose it where central noise is to be amplified by sampling.</summary>
    public const string Poisson = "poisson";

    /// <summary>FedBuff: choose it when clients differ in speed and there are many.</summary>
    public const string Buffered = "buffered";

    /// <summary>FedAsync: choose it for few clients whose every update should be seen at once.</summary>
    public const string Immediate = "immediate";

    /// <summary>FedCompass: choose it for some silos of different speed.</summary>
    public const string Compass = "compass";

    /// <summary>FedFix: choose it when versions should come at known times.</summary>
    public const string FixedWindow = "fixed-window";

    /// <summary>Anarchic: choose it when clients cannot be told anything.</summary>
    public const string Anarchic = "anarchic";

    /// <summary>Makes the scheduler that <paramref name="options"/> describe.</summary>
    /// <param name="steps">How much work an assignment asks for.</param>
    /// <param name="weight">Weight of an update in its aggregate.</param>
    public static IScheduler Create(SchedulerOptions options, IStepPolicy steps, IUpdateWeight weight) => options switch
    {
        SynchronousOptions o => new SynchronousScheduler(o, steps, weight),
        PoissonOptions o => new PoissonScheduler(o, steps, weight),
        BufferedOptions o => new BufferedScheduler(o, steps, weight),
        ImmediateOptions o => new ImmediateScheduler(o, steps, weight),
        CompassOptions o => new CompassScheduler(o, weight),
        FixedWindowOptions o => new FixedWindowScheduler(o, steps, weight),
        AnarchicOptions o => new AnarchicScheduler(o, weight),
        _ => throw new CoordinatorException($"No scheduler for {options?.GetType().Name ?? "null"}."),
    };
}
