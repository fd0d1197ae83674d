namespace Federated.Coordinator.Tests.Hosting;

/// <summary>A clock that stands still until it is told to go on; timers fire in the order of their times, on the thread that advances it.</summary>
internal sealed class ManualTime : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock gate = new();
    private readonly List<Timer> timers = [];
    private TimeSpan elapsed;
    private TimeSpan jump;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (gate)
        {
            return elapsed.Ticks;
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            return Start + elapsed + jump;
        }
    }

    /// <summary>Told of every time that something asks to be woken after, on its thread.</summary>
    public Action<TimeSpan>? Armed { get; set; }

    /// <summary>Somebody sets the wall clock; what has elapsed stays.</summary>
    public void Jump(TimeSpan by)
    {
        lock (gate)
        {
            jump += by;
        }
    }

    public void Advance(double seconds)
    {
        TimeSpan end;
        lock (gate)
        {
            end = elapsed + TimeSpan.FromSeconds(seconds);
        }

        while (true)
        {
            Timer? due;
            lock (gate)
            {
                due = timers.Where(t => t.Due <= end).MinBy(t => t.Due);
                var now = due?.Due ?? end;
                elapsed = now > elapsed ? now : elapsed; // Others may advance it too.
                if (due is null)
                {
                    return;
                }

                due.Due = due.Period > TimeSpan.Zero ? due.Due + due.Period : TimeSpan.MaxValue;
            }

            due.Fire();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        lock (gate)
        {
            timers.Add(timer);
        }

        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Due { get; set; } = TimeSpan.MaxValue;

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                Due = dueTime < TimeSpan.Zero ? TimeSpan.MaxValue : time.elapsed + dueTime;
                Period = period < TimeSpan.Zero ? TimeSpan.Zero : period;
            }

            if (dueTime >= TimeSpan.Zero)
            {
                time.Armed?.Invoke(dueTime);
            }

            return true;
        }

        public void Dispose()
        {
            lock (time.gate)
            {
                time.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
