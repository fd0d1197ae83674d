namespace Federated.Coordinator.Http;

/// <summary>Lets through so many requests a second on average, and so many at once.</summary>
internal sealed class TokenBucket
{
    private readonly Lock gate = new();
    private readonly double perSecond, burst;
    private double tokens;
    private long last;

    public TokenBucket(double perSecond, double burst, long now) => (this.perSecond, this.burst, tokens, last) = (perSecond, burst, burst, now);

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
