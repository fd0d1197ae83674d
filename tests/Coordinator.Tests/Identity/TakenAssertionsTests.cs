using Federated.Aggregation.Randomness;
using Federated.Coordinator.Identity;

namespace Federated.Coordinator.Tests.Identity;

/// <summary>An assertion is taken once for as long as it is good, however often the files take turns and the coordinator is started again.</summary>
public sealed class TakenAssertionsTests : IDisposable
{
    private const double Lifetime = 100;

    private readonly string folder = Directory.CreateTempSubdirectory("fed-assertions-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatWasTakenLateInAFilesTurnIsRememberedForAWholeLifetime(bool isRestarted)
    {
        var taken = Open(0);
        Assert.True(await taken.TryTakeAsync("first", 0));
        Assert.True(await taken.TryTakeAsync("late", Lifetime));
        Assert.True(await taken.TryTakeAsync("swaps", Lifetime + 1));
        if (isRestarted)
        {
            await taken.DisposeAsync();
            taken = Open(Lifetime + 2);
        }

        await using var owned = taken;
        Assert.True(await taken.TryTakeAsync("does not swap", (2 * Lifetime) - 1));
        Assert.False(await taken.TryTakeAsync("late", 2 * Lifetime));
        Assert.False(await taken.TryTakeAsync("swaps", (2 * Lifetime) + 1));
        Assert.True(await taken.TryTakeAsync("swaps back", (2 * Lifetime) + 2));
        Assert.True(await taken.TryTakeAsync("first", (2 * Lifetime) + 3)); // Long expired, and forgotten: memory does not grow for ever.
        Assert.False(await taken.TryTakeAsync("does not swap", (2 * Lifetime) + 3));
    }

    [Fact]
    public async Task NothingIsTakenTwiceWithinALifetimeWhateverHappensInBetween()
    {
        var random = SeededRandom.Derive(7, "assertions");
        Dictionary<string, double> good = [];
        var (now, next, refused, restarts) = (0.0, 0, 0, 0);
        var taken = Open(now);
        for (var step = 0; step < 1000; step++)
        {
            now += random.NextDouble() * Lifetime / 8;
            if (random.NextDouble() < 0.05)
            {
                await taken.DisposeAsync();
                taken = Open(now);
                restarts++;
            }

            if (random.NextDouble() < 0.5 && good.Where(g => now <= g.Value + Lifetime).Select(g => g.Key).ToList() is { Count: > 0 } again)
            {
                var id = again[random.NextInt(again.Count)];
                Assert.False(await taken.TryTakeAsync(id, now), $"'{id}', taken at {good[id]}, was taken again at {now}.");
                refused++;
            }
            else
            {
                var id = $"a{next++}";
                Assert.True(await taken.TryTakeAsync(id, now));
                good[id] = now;
            }
        }

        await taken.DisposeAsync();
        Assert.True(refused > 300 && restarts > 20, $"{refused} replays and {restarts} restarts: the test would show little.");
    }

    private TakenAssertions Open(double now) => new(folder, Lifetime, now);
}
