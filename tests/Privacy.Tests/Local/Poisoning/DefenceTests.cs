using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Frequencies.Poisoning;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Tests.Local.Poisoning;

public static class DefenceTests
{
    private const int Items = 60;

    /// <summary>Honest clients hold item i with a share that falls with i; fakes push the targets.</summary>
    private static List<ReadOnlyMemory<byte>> Reports(FrequencyOracle oracle, int honest, int fakes, FakeReports? attack, ulong seed)
    {
        using var random = new SimulationRandom(seed);
        var reports = new List<ReadOnlyMemory<byte>>();
        for (var i = 0; i < honest; i++)
        {
            var report = new byte[oracle.ReportBytes];
            oracle.Randomize(Math.Min(random.NextBelow(Items - 10), random.NextBelow(Items - 10)), report, random);
            reports.Add(report);
        }

        for (var i = 0; i < fakes; i++)
        {
            var report = new byte[oracle.ReportBytes];
            attack!.Write(report, random);
            reports.Add(report);
        }

        return reports;
    }

    public sealed class Suspicious_sets
    {
        [Theory]
        [InlineData("oue")]
        [InlineData("olh")]
        public void Are_the_targets_of_fakes(string name)
        {
            var oracle = FrequencyOracles.Create(name, 1, Items);
            int[] targets = [50, 52, 54, 56, 58, 59];
            var reports = Reports(oracle, 8000, 250, new FakeReports(oracle, targets, PoisoningAttack.Maximal, 3000), 511);
            var search = new SuspiciousSets(SupportMatrix.Of(oracle, reports));
            var found = search.Find();
            Assert.Equal(targets, found[0].Values);
            Assert.True(found[0].Support >= 230); // some found no seed for all six among 3000
            var accused = search.Reports([found[0]]);
            Assert.True(accused.Count(i => i >= 8000) >= 230);
            Assert.True(accused.Count < 400);
        }

        [Theory]
        [InlineData("oue", 512)]
        [InlineData("oue", 513)]
        [InlineData("olh", 514)]
        [InlineData("olh", 515)]
        public void Are_not_found_among_honest_reports(string name, ulong seed)
        {
            // η = 0.001 a case: four cases raise a false alarm with probability at most 0.004.
            var oracle = FrequencyOracles.Create(name, 1, Items);
            Assert.Empty(new SuspiciousSets(SupportMatrix.Of(oracle, Reports(oracle, 6000, 0, null, seed)), 0.001).Find());
        }

        [Fact]
        public void Have_thresholds_that_hold_for_every_set_at_once()
        {
            var oracle = new UnaryEncoding(1, Items);
            var search = new SuspiciousSets(SupportMatrix.Of(oracle, Reports(oracle, 6000, 0, null, 516)));

            // Above the expectation of the likeliest set, and falling with the size of sets.
            for (var z = 2; z <= 8; z++)
            {
                Assert.True(search.Threshold(z) > 6000 * 0.5 * Math.Pow(oracle.FalseSupport, z - 1));
                Assert.True(search.Threshold(z) > search.Threshold(z + 1));
            }
        }

        [Fact]
        public void Count_as_the_reports_do()
        {
            var oracle = new UnaryEncoding(1, Items);
            var reports = Reports(oracle, 300, 0, null, 517);
            var matrix = SupportMatrix.Of(oracle, reports);
            Assert.Equal(FakeReportDetector.JointSupport(reports, [3, 17]), matrix.Joint(3, 17));
            Assert.Equal(FakeReportDetector.JointSupport(reports, [3, 17, 40]), SupportMatrix.PopCount(matrix.All([3, 17, 40])));
            Assert.Equal(FakeReportDetector.JointSupport(reports, [3]), matrix.Count(3));
        }
    }

    public sealed class A_single_pushed_item
    {
        [Fact]
        public void Is_found_and_its_fakes_are_counted()
        {
            var oracle = new UnaryEncoding(1, Items);
            var reports = Reports(oracle, 8000, 400, new FakeReports(oracle, [55], PoisoningAttack.Maximal), 521);
            var found = Assert.Single(SingleTarget.Find(oracle, reports));
            Assert.Equal(55, found.Item);
            Assert.InRange(found.Fakes, 300, 500);

            var undefended = DefendedFrequencies.Estimate(oracle, reports, new() { Sets = false, SingleTarget = false, NormSub = false });
            var defended = DefendedFrequencies.Estimate(oracle, reports, new() { NormSub = false });
            Assert.True(undefended.Frequencies[55] > 0.1, $"the attack gains {undefended.Frequencies[55]}");
            Assert.InRange(defended.Frequencies[55], -0.05, 0.05);
        }

        [Fact]
        public void Is_not_found_where_all_are_honest()
        {
            // η = 0.001
            var oracle = new UnaryEncoding(1, Items);
            Assert.Empty(SingleTarget.Find(oracle, Reports(oracle, 8000, 0, null, 522), 0.001));
        }
    }

    public sealed class Defended_frequencies
    {
        [Fact]
        public void Drop_what_no_honest_client_sends()
        {
            var oracle = new UnaryEncoding(1, Items);
            var reports = Reports(oracle, 500, 0, null, 531);
            var all = new byte[oracle.ReportBytes];
            all.AsSpan(0, 7).Fill(0xFF);
            reports.Add(all);
            reports.Add(new byte[3]);
            var estimate = DefendedFrequencies.Estimate(oracle, reports, new());
            Assert.Equal(2, estimate.Malformed);
            Assert.Equal(500, estimate.Reports);
            Assert.Equal(1, estimate.Frequencies.Sum(), 1e-9);
        }

        [Theory]
        [InlineData("oue", 0.05)]
        [InlineData("olh", 0.05)]
        public void Take_most_of_the_maximal_gain_back(string name, double most)
        {
            var oracle = FrequencyOracles.Create(name, 1, Items);
            int[] targets = [50, 52, 54, 56, 58, 59];
            var clean = Reports(oracle, 8000, 0, null, 532);
            var poisoned = Reports(oracle, 8000, 420, new FakeReports(oracle, targets, PoisoningAttack.Maximal, 3000), 532);
            var raw = new FrequencyDefenceOptions { Validity = false, Sets = false, SingleTarget = false, NormSub = false };
            double Of(List<ReadOnlyMemory<byte>> reports, FrequencyDefenceOptions options) =>
                targets.Sum(t => DefendedFrequencies.Estimate(oracle, reports, options).Frequencies[t]);
            var gain = Of(poisoned, raw) - Of(clean, raw);
            var expected = PoisoningGain.Supporting(oracle.TrueSupport, oracle.FalseSupport, 420.0 / 8420, 6, 6, 0);
            Assert.Equal(expected, gain, 0.1);
            Assert.InRange(Of(poisoned, raw with { Sets = true }) - Of(clean, raw), -most, most);
        }

        [Fact]
        public void Are_the_oracles_where_nothing_is_on()
        {
            var oracle = new LocalHashing(2, Items);
            var reports = Reports(oracle, 400, 0, null, 533);
            var (state, expected) = (new long[oracle.StateLength], new double[Items]);
            reports.ForEach(r => oracle.Accumulate(r.Span, state));
            oracle.Estimate(state, 400, expected);
            Assert.Equal(expected, DefendedFrequencies.Estimate(oracle, reports, new() { Validity = false, Sets = false, SingleTarget = false, NormSub = false }).Frequencies);
        }
    }

    public sealed class Recovery
    {
        [Theory]
        [InlineData("grr")]
        [InlineData("oue")]
        [InlineData("olh")]
        public void With_the_right_share_and_targets_gives_the_honest_frequencies_back(string name)
        {
            var oracle = FrequencyOracles.Create(name, 1, 10);
            double[] honest = [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0, 0];
            int[] targets = [8, 9];
            var (p, q) = (oracle.TrueSupport, oracle.FalseSupport);
            var each = name == "grr" ? ((1.0 / 2) - q) / (p - q) : (1 - q) / (p - q);

            // In expectation: GRR's other items get −q/(p − q), padded unary ones what is left of 1, hashed ones nothing.
            var rest = name == "grr" ? -q / (p - q) : name == "oue" ? (1 - (2 * each)) / 8 : 0;
            var poisoned = honest.Select((f, v) => (0.9 * f) + (0.1 * (v >= 8 ? each : rest))).ToArray();
            var recovered = FrequencyRecovery.Recover(oracle, poisoned, 0.1, targets);
            Assert.All(honest.Zip(recovered), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        }

        [Fact]
        public void Without_a_share_is_the_projection()
        {
            var oracle = new UnaryEncoding(1, 4);
            double[] estimates = [0.7, 0.5, -0.1, 0.1];
            var expected = estimates.ToArray();
            FrequencyPostprocessing.NormSub(expected);
            Assert.Equal(expected, FrequencyRecovery.Recover(oracle, estimates, 0, []));
            Assert.Throws<PrivacyException>(() => FrequencyRecovery.Recover(oracle, estimates, 1, []));
        }
    }
}
