namespace Federated.Coordinator.Identity;

/// <summary>The ids of assertions that were taken and have not expired: each is taken once, across restarts too.</summary>
/// <remarks>
/// Two files that take turns: when the newer has been written to for longer than an assertion can live, all in the older one has expired,
/// and it is emptied and becomes the newer. Memory and disk: about 100 B per assertion of the last two lifetimes.
/// </remarks>
internal sealed class TakenAssertions : IAsyncDisposable
{
    private readonly Journal<TakenAssertion>[] files = new Journal<TakenAssertion>[2];
    private readonly HashSet<string>[] ids = [new(StringComparer.Ordinal), new(StringComparer.Ordinal)];
    private readonly double lifetime;
    private readonly Lock gate = new();
    private int current;
    private double since;

    /// <param name="lifetime">Seconds after which no assertion is good any more.</param>
    /// <param name="now">Unix seconds.</param>
    public TakenAssertions(string folder, double lifetime, double now)
    {
        this.lifetime = lifetime;
        var newest = new double[2];
        var oldest = new[] { double.PositiveInfinity, double.PositiveInfinity };
        for (var i = 0; i < 2; i++)
        {
            files[i] = Journal<TakenAssertion>.Open(Path.Combine(folder, $"assertions-{i}.log"), IdentityJson.Default.TakenAssertion, out var history);
            foreach (var taken in history)
            {
                ids[i].Add(taken.Id);
                newest[i] = Math.Max(newest[i], taken.At);
                oldest[i] = Math.Min(oldest[i], taken.At);
            }
        }

        current = newest[1] > newest[0] ? 1 : 0;
        since = Math.Min(oldest[current], now);
    }

    /// <summary>Takes an id, durably.</summary>
    /// <returns>False when it was taken before.</returns>
    public async ValueTask<bool> TryTakeAsync(string id, double now)
    {
        Task durable;
        lock (gate)
        {
            if (ids[0].Contains(id) || ids[1].Contains(id))
            {
                return false;
            }

            if (now - since > lifetime)
            {
                current = 1 - current;
                ids[current].Clear();
                files[current].Clear();
                since = now;
            }

            ids[current].Add(id);
            durable = files[current].AppendAsync(new TakenAssertion(id, now));
        }

        await durable.ConfigureAwait(false);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var file in files)
        {
            await file.DisposeAsync().ConfigureAwait(false);
        }
    }
}

internal sealed record TakenAssertion(string Id, double At);
