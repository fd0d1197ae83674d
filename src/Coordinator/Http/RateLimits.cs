using System.Collections.Concurrent;

namespace Federated.Coordinator.Http;

/// <summary>A bucket per client (or per address, where nobody is known yet); buckets that have filled up are forgotten.</summary>
internal sealed class RateLimits(double perSecond, double burst, TimeProvider clock)
{
    private const int MaxBuckets = 100_000;

    private readonly ConcurrentDictionary<string, TokenBucket> buckets = new(StringComparer.Ordinal);

    /// <returns>Zero when the request may go on, else how long it should wait.</returns>
    public TimeSpan Take(string who)
    {
        if (!buckets.TryGetValue(who, out var bucket))
        {
            Forget();
            bucket = buckets.GetOrAdd(who, static (_, limits) => new TokenBucket(limits.perSecond, limits.burst, limits.clock.GetTimestamp()), (perSecond, burst, clock));
        }

        return bucket.Take(clock);
    }

    private void Forget()
    {
        if (buckets.Count < MaxBuckets)
        {
            return;
        }

        foreach (var (who, bucket) in buckets)
        {
            if (bucket.IsFull(clock))
            {
                buckets.TryRemove(who, out _);
            }
        }
    }
}
