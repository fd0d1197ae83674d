using System.Security.Cryptography;
using Federated.Privacy.Randomness;
using Xunit.Abstractions;

namespace Federated.EndToEnd.Adversary;

/// <summary>
/// Somebody who has everything that a coordinator and a shuffler received and answered, at their sockets, together with the coordinator's keys and files, tries to
/// tell whose report is whose within a batch (<see cref="ShuffledCapture"/>, <see cref="Linker"/>).
/// </summary>
/// <remarks>
/// About 290 ways of linking, each of which alarms falsely with probability 1e-6 divided by their number, so that the test does with probability 1e-6. The probabilities are exact
/// tails, not approximations. With 40 batches of six (240 reports, 40 hits by chance, standard deviation 6.3) a way is found out that is right for one report of
/// three instead of one of six.
/// </remarks>
public sealed class AdversaryOverHttpTests(ITestOutputHelper output)
{
    private const double FalseAlarm = 1e-6;
    private const int Batches = 40;

    [Fact]
    public async Task Links_no_report_to_its_client_better_than_by_chance()
    {
        using var random = new CryptographicRandom();
        var found = await AttackAsync(random, Batches);
        Assert.Empty(Alarms(found));
    }

    [Fact]
    public async Task Links_them_when_the_shuffler_does_not_permute()
    {
        var found = await AttackAsync(new Constant(ulong.MaxValue), 8);
        Assert.Contains(Alarms(found), f => f.Way == "arrival at the shuffler as place" && f.Hits == f.Of);
    }

    [Fact]
    public async Task Links_them_when_the_shuffler_permutes_every_batch_alike()
    {
        var found = await AttackAsync(new Constant(1UL << 62), 16);
        Assert.DoesNotContain(Alarms(found), f => f.Way == "arrival at the shuffler as place");
        Assert.Contains(Alarms(found), f => f.Way == "arrival at the shuffler as place by what was learnt" && f.Hits == f.Of);
    }

    /// <summary>Leaks that the system does not have, put into what was captured: each is found by the way that is there for it.</summary>
    [Fact]
    public void Finds_reports_that_carry_something_of_their_client()
    {
        static BatchView Batch(int number)
        {
            var truth = Enumerable.Range(0, 6).ToArray();
            RandomNumberGenerator.Shuffle<int>(truth);
            var clients = truth.Select((_, i) => new Trace(new Dictionary<string, double> { ["bytes"] = 100 + i }, [.. RandomNumberGenerator.GetBytes(200), .. BitConverter.GetBytes((number * 6) + i)])).ToList();
            var reports = Enumerable.Range(0, 6).Select(place => Array.IndexOf(truth, place))
                .Select(client => new Trace(new Dictionary<string, double> { ["norm"] = -client }, [.. RandomNumberGenerator.GetBytes(200), .. clients[client].Bytes.AsSpan(200)])).ToList();
            return new BatchView(clients, reports, truth);
        }

        var found = Linker.Attack([.. Enumerable.Range(0, 20).Select(Batch)]);
        var ways = found.Where(f => f.Way is "bytes in common" or "bytes against norm").ToList();
        Assert.Equal(2, ways.Count);
        Assert.All(ways, f => Assert.Equal(f.Of, f.Hits));
    }

    [Theory]
    [InlineData(3, 1, 3, 1 / 6.0)] // One permutation of six leaves all three where they are.
    [InlineData(3, 1, 1, 4 / 6.0)]
    [InlineData(2, 3, 6, 1 / 8.0)]
    [InlineData(6, 40, 0, 1)]
    public void Knows_how_probable_hits_are(int n, int batches, int hits, double probability) => Assert.Equal(probability, FixedPoints.Tail(n, batches, hits), 1e-12);

    private static List<Linker.Finding> Alarms(List<Linker.Finding> found) => [.. found.Where(f => f.Chance < FalseAlarm / found.Count)];

    private async Task<List<Linker.Finding>> AttackAsync(IRandomSource permutation, int batches)
    {
        var captured = await ShuffledCapture.TakeAsync(batches, permutation);
        Assert.Equal(batches, captured.Count);
        var found = Linker.Attack(captured);
        output.WriteLine($"{batches} batches of {ShuffledCapture.Clients}, {found.Count} ways. The best:\n{string.Join('\n', found.OrderBy(f => f.Chance).Take(5))}");
        return found;
    }

    /// <summary>A shuffler's randomness that is none: the same permutation for every batch, and with the largest number the one that moves nothing.</summary>
    private sealed class Constant(ulong drawn) : IRandomSource
    {
        public bool IsCryptographic => false;

        public string Description => "none";

        public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);

        public ulong NextUInt64() => drawn;
    }
}
