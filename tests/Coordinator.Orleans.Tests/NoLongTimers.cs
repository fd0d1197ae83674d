namespace Federated.Coordinator.Orleans.Tests;

/// <summary>The real clock, on which long timers never come due: what is told all the same was told by an event, however fast or slow the machine.</summary>
internal sealed class NoLongTimers(TimeSpan longest) : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime <= longest ? dueTime : Timeout.InfiniteTimeSpan, period <= longest ? period : Timeout.InfiniteTimeSpan);
}
