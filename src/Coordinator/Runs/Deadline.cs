namespace Federated.Coordinator.Runs;

/// <summary>What a deadline is for; the machine compares it with its state when it passes, so that a late or repeated one is harmless.</summary>
/// <param name="Number">Assignment id, client number, or the scheduler's own number.</param>
public readonly record struct Deadline(DeadlineKind Kind, long Number);

/// <summary>Whose deadline it is.</summary>
public enum DeadlineKind
{
    /// <summary>An assignment's lease ends.</summary>
    Assignment,

    /// <summary>A client's participation cool-down is over.</summary>
    CoolDown,

    /// <summary>The scheduler's own: a round's end, a window, a group's latest arrival.</summary>
    Scheduler,

    /// <summary>The run's time limit.</summary>
    Run,
}
