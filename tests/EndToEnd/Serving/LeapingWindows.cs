namespace Federated.EndToEnd.Serving;

/// <summary>A shuffler's clock, on which the windows of batches end when they are told to: not before all reports are in, however slow the machine.</summary>
internal sealed class LeapingWindows : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ITimer> timers = [];
    private long aheadTicks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref aheadTicks));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        lock (gate)
        {
            timers.Add(timer);
        }

        return timer;
    }

    /// <summary>Goes ahead, and has every timer look at the clock.</summary>
    public void Leap(TimeSpan by)
    {
        Interlocked.Add(ref aheadTicks, by.Ticks);
        lock (gate)
        {
            timers.ForEach(timer => timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan)); // Of one that was disposed nothing comes.
        }
    }
}
