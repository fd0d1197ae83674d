using Federated.Aggregation.Randomness;

namespace Federated.Client.Session;

/// <summary>
/// How long to wait before trying again: doubling from a first wait to a cap, a random half of it left out, so that a thousand clients
/// that lost the same coordinator do not come back together.
/// </summary>
public sealed class Backoff(TimeSpan first, TimeSpan cap, SeededRandom random)
{
    private readonly Lock sync = new();

    /// <param name="attempt">Failures so far, from 1.</param>
    /// <param name="asked">What the coordinator asked for: the wait is never shorter.</param>
    public TimeSpan After(int attempt, TimeSpan? asked)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(attempt);
        double share;
        lock (sync)
        {
            share = 0.5 + (0.5 * random.NextDouble());
        }

        var full = Math.Min(cap.TotalSeconds, first.TotalSeconds * Math.ScaleB(1, Math.Min(attempt - 1, 40)));
        var own = full * share;

        // Spread over a further tenth: everybody was told the same number.
        return TimeSpan.FromSeconds(asked is { } seconds ? Math.Max(own, seconds.TotalSeconds * (0.8 + (0.4 * (share - 0.5))) / 0.8) : own);
    }
}
