namespace Federated.Coordinator.Http;

/// <summary>Lets through so many requests a second on average, and so many at once.</summary>
internal sealed class TokenBucket(double perSecond, double burst, long now)
{
    private readonly Lock gate = new();
    private double tokens = burst;
    private long last = now;

    /// <summary>Takes one token.</summary>
    /// <returns>Zero when it was there, else how long until the next is.</returns>
    public TimeSpan Take(TimeProvider clock)
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            tokens = Math.Min(burst, tokens + (clock.GetElapsedTime(last, now).TotalSeconds * perSecond));
            last = now;
            if (tokens >= 1)
            {
                tokens--;
                return TimeSpan.Zero;
            }

            return TimeSpan.FromSeconds((1 - tokens) / perSecond);
        }
    }

    /// <summary>Whether it has been left alone long enough to be forgotten.</summary>
    public bool IsFull(TimeProvider clock)
    {
        lock (gate)
        {
            return tokens + (clock.GetElapsedTime(last).TotalSeconds * perSecond) >= burst;
        }
    }
}
