namespace Federated.Coordinator.Tests.Http;

/// <summary>The real clock, some time ahead.</summary>
internal sealed class AheadTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<(TimeSpan Period, Action Fire)> periodic = [];

    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;

    /// <summary>Sets the clock ahead, and lets what would have been done at intervals in that time be done once, on this thread.</summary>
    public void Pass(TimeSpan by)
    {
        Ahead += by;
        List<Action> due;
        lock (gate)
        {
            due = [.. periodic.Where(p => p.Period <= by).Select(p => p.Fire)];
        }

        due.ForEach(fire => fire());
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (period > TimeSpan.Zero)
        {
            lock (gate)
            {
                periodic.Add((period, () => callback(state)));
            }
        }

        return base.CreateTimer(callback, state, dueTime, period);
    }
}
