namespace Federated.Coordinator.Tests.Hosting;

/// <summary>
/// The real clock, whose elapsed time leaps ahead when it is told to; timers and the wall clock do not. A deadline that is looked at again and again
/// can be as far away as no machine is slow, and still pass at once when a test has seen everything that was to happen before it.
/// </summary>
internal sealed class LeapingTime : TimeProvider
{
    private long ahead;

    public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref ahead);

    public void Leap(TimeSpan by) => Interlocked.Add(ref ahead, (long)(by.TotalSeconds * TimestampFrequency));
}
