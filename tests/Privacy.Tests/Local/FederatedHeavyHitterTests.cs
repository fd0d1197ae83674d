using System.Globalization;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Frequencies.Poisoning;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Tests.Local;

public static class FederatedHeavyHitterTests
{
    private static readonly PrefixExtensionOptions Tree = new() { Epsilon = 4, ItemBits = 20, HeavyHitters = 8, StepBits = 4 };

    /// <summary>Eight items that all parties hold, and eight of each party's own that are more frequent there; the rest spread out.</summary>
    private static ulong[][] Parties(int parties, int clients, SimulationRandom random)
    {
        var common = Enumerable.Range(0, 8).Select(_ => random.NextUInt64() >> 44).ToArray();
        return [.. Enumerable.Range(0, parties).Select(_ =>
        {
            var own = Enumerable.Range(0, 8).Select(_ => random.NextUInt64() >> 44).ToArray();
            return Enumerable.Range(0, clients).Select(_ =>
            {
                var draw = random.NextDouble();
                return draw < 0.32 ? common[random.NextBelow(8)] : draw < 0.72 ? own[random.NextBelow(8)] : random.NextUInt64() >> 44;
            }).ToArray();
        })];
    }

    private static double Found(IReadOnlyList<(ulong Item, double Frequency)> found, ulong[][] parties)
    {
        var top = parties.SelectMany(p => p).GroupBy(i => i).OrderByDescending(g => g.Count()).Take(8).Select(g => g.Key);
        return found.Select(f => f.Item).Intersect(top).Count() / 8.0;
    }

    public sealed class A_target_aligned_search
    {
        [Fact]
        public void Finds_what_is_frequent_in_all_parties_together_where_separate_searches_do_not()
        {
            var search = new TargetAlignedSearch(Tree, new TargetAlignedOptions());
            var (aligned, separate) = (0.0, 0.0);
            for (var seed = 541UL; seed < 544; seed++)
            {
                using var random = new SimulationRandom(seed);
                var items = Parties(5, 5000, random);
                var reports = items.Select(p => p.Select(i => search.Protocol.Randomize(i, random.NextBelow(search.Protocol.Groups), random)).ToArray()).ToArray();
                aligned += Found(search.Identify(reports), items) / 3;
                var alone = reports.SelectMany(r => search.Protocol.Identify(r)).GroupBy(f => f.Item)
                    .Select(g => (g.Key, g.Sum(f => f.Frequency) / 5)).OrderByDescending(f => f.Item2).Take(8).ToArray();
                separate += Found(alone, items) / 3;
            }

            Assert.True(aligned >= 0.85, $"the variant finds {aligned}, separate searches {separate}");
            Assert.True(aligned >= separate + 0.1, $"the variant finds {aligned}, separate searches {separate}");
        }

        [Fact]
        public void Of_shared_levels_only_is_one_prefix_extension()
        {
            using var random = new SimulationRandom(545);
            var search = new TargetAlignedSearch(Tree, new TargetAlignedOptions { SharedLevels = 64 });
            var reports = Parties(3, 800, random).Select(p => p.Select(i => search.Protocol.Randomize(i, random.NextBelow(search.Protocol.Groups), random)).ToArray()).ToArray();
            Assert.Equal(
                search.Protocol.Identify(reports.SelectMany(r => r)).Select(f => f.Item), search.Identify(reports).Select(f => f.Item));
        }

        [Fact]
        public void Refuses_parties_that_nobody_is_in() =>
            Assert.Throws<PrivacyException>(() => new TargetAlignedSearch(Tree, new TargetAlignedOptions()).Identify([]));
    }

    public sealed class A_poisoned_prefix_tree
    {
        [Theory]
        [InlineData(PoisoningAttack.RandomReport, false)]
        [InlineData(PoisoningAttack.RandomItem, false)]
        [InlineData(PoisoningAttack.Maximal, false)]
        [InlineData(PoisoningAttack.Maximal, true)]
        public void Gains_what_is_computed_at_every_level(PoisoningAttack kind, bool assigned)
        {
            var protocol = new PrefixExtension(Tree with { Epsilon = 1 });
            using var random = new SimulationRandom(551);
            ulong[] targets = [.. Enumerable.Range(0, 5).Select(_ => random.NextUInt64() >> 44)];
            var attack = new PrefixPoisoning(protocol, targets, kind, 8000);
            var seeds = new AssignedSeeds(new byte[32]);
            for (var group = 0; group < protocol.Groups; group++)
            {
                var fakes = kind == PoisoningAttack.Maximal && !assigned ? 60 : 3000;
                PrefixReport[] reports = [.. Enumerable.Range(0, fakes).Select(i =>
                    attack.Craft(group, random, assigned ? seeds.Seed(i.ToString(CultureInfo.InvariantCulture), group) : null))];
                ulong[] prefixes = [.. attack.TargetPrefixes(group)];
                var gain = protocol.Estimate(group, reports, prefixes).Sum(e => e.Frequency);
                var tolerance = kind == PoisoningAttack.Maximal && !assigned
                    ? 1e-9
                    : 5 * Math.Sqrt(prefixes.Length) * prefixes.Length * protocol.EstimateDeviation(fakes);
                Assert.Equal(attack.Gain(group, 1, 0, assigned), gain, tolerance);
            }
        }

        [Fact]
        public void Is_screened_so_that_targets_nobody_holds_are_not_found()
        {
            var protocol = new PrefixExtension(Tree with { Epsilon = 1 });
            using var random = new SimulationRandom(552);
            var items = Parties(1, 30_000, random)[0];
            ulong[] targets = [.. Enumerable.Range(0, 5).Select(_ => random.NextUInt64() >> 44)];
            var attack = new PrefixPoisoning(protocol, targets, PoisoningAttack.Maximal, 2000);
            var reports = items.Select(i => protocol.Randomize(i, random.NextBelow(protocol.Groups), random)).ToList();
            for (var fake = 0; fake < 1500; fake++)
            {
                reports.Add(attack.Craft(random.NextBelow(protocol.Groups), random));
            }

            var poisoned = protocol.Identify(reports).Count(f => targets.Contains(f.Item));
            var screened = protocol.Identify(reports, PrefixPoisoning.Screen(protocol)).Count(f => targets.Contains(f.Item));
            Assert.True(poisoned >= 4, $"{poisoned} of 5 targets were promoted");
            Assert.True(screened <= poisoned / 2, $"{screened} of 5 targets are left, {poisoned} before");
        }
    }
}
