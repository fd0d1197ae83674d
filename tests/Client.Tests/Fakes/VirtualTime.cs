namespace Federated.Client.Tests.Fakes;

/// <summary>A clock that moves only when told to, to the next timer that is due.</summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly SortedSet<Timer> timers = new(Comparer<Timer>.Create((a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : a.Number.CompareTo(b.Number)));
    private readonly Lock sync = new();
    private long now;
    private long numbers;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public double Seconds => TimeSpan.FromTicks(now).TotalSeconds;

    public override long GetTimestamp() => now;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(56) + TimeSpan.FromTicks(now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Lets time pass in which no timer is due.</summary>
    public void Advance(TimeSpan time) => now += time.Ticks;

    /// <summary>Goes to the next timer and fires it; false when there is none.</summary>
    public bool Advance()
    {
        Timer next;
        lock (sync)
        {
            if (timers.Min is not { } first)
            {
                return false;
            }

            next = first;
            timers.Remove(next);
            now = Math.Max(now, next.Due);
        }

        next.Fire();
        return true;
    }

    private sealed class Timer(VirtualTime owner, TimerCallback callback, object? state) : ITimer
    {
        private bool isDisposed;

        public long Due { get; private set; }

        public long Number { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Assert.True(period == Timeout.InfiniteTimeSpan, "Periodic timers are not used here.");
            lock (owner.sync)
            {
                owner.timers.Remove(this);
                if (!isDisposed && dueTime != Timeout.InfiniteTimeSpan)
                {
                    (Due, Number) = (owner.now + dueTime.Ticks, ++owner.numbers);
                    owner.timers.Add(this);
                }

                return !isDisposed;
            }
        }

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (owner.sync)
            {
                isDisposed = true;
                owner.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
