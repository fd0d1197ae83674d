using System.Globalization;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Frequencies.Poisoning;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Tests.Local.Poisoning;

public static class PoisoningGainTests
{
    private static readonly int[] Targets = [90, 91, 92, 93, 94];

    private static FrequencyOracle Oracle(string name, double epsilon) => name == "kRR" ? new GeneralizedRandomizedResponse(epsilon, 100)
        : name == "OUE" ? new UnaryEncoding(epsilon, 100) : new LocalHashing(epsilon, 100);

    private static byte[][] Fakes(FakeReports attack, FrequencyOracle oracle, int count, IRandomSource random) =>
        [.. Enumerable.Range(0, count).Select(_ =>
        {
            var report = new byte[oracle.ReportBytes];
            attack.Write(report, random);
            return report;
        })];

    /// <summary>Mean over fakes of Σ over targets of (support − q)/(p − q), and its standard error.</summary>
    private static (double Mean, double Error) Added(FrequencyOracle oracle, byte[][] reports, int[] targets)
    {
        var sample = new double[reports.Length];
        for (var i = 0; i < reports.Length; i++)
        {
            var state = new long[oracle.StateLength];
            oracle.Accumulate(reports[i], state);
            sample[i] = targets.Sum(t => (state[t] - oracle.FalseSupport) / (oracle.TrueSupport - oracle.FalseSupport));
        }

        var mean = sample.Average();
        return (mean, Math.Sqrt(sample.Sum(s => (s - mean) * (s - mean))) / sample.Length);
    }

    public sealed class A_fake_report
    {
        [VectorFact("ldp_poisoning_gain")]
        public void Gains_what_the_reference_says()
        {
            foreach (var row in VectorFile.Read("ldp_poisoning_gain"))
            {
                double Number(string column) => double.Parse(row[column], CultureInfo.InvariantCulture);
                var oracle = Oracle(row["oracle"], Number("eps"));
                var (share, r, frequency) = (Number("beta"), (int)Number("r"), Number("fT"));
                var attack = row["attack"] == "RPA" ? PoisoningAttack.RandomReport : PoisoningAttack.RandomItem;
                var formula = attack == PoisoningAttack.RandomReport
                    ? PoisoningGain.RandomReport(oracle.Name, share, r, 100, frequency)
                    : PoisoningGain.RandomItem(share, frequency);
                Assert.Equal(Number("gain_formula"), formula, 1e-6);
                Assert.InRange(formula, Number("gain_sim") - (3.5 * Number("se")), Number("gain_sim") + (3.5 * Number("se")));

                // And by our own fakes: a fake adds (gain/β + f_T) on average.
                using var random = new SimulationRandom(501);
                var (mean, error) = Added(oracle, Fakes(new FakeReports(oracle, Targets, attack), oracle, 4000, random), Targets);
                Assert.Equal((formula / share) + frequency, mean, (Randomness.Statistics.Z * error) + 1e-9);
            }
        }

        [Theory]
        [InlineData("kRR", 7.372)]
        [InlineData("OUE", 1.268)]
        public void Gains_most_where_epsilon_is_small(string name, double expected)
        {
            // privacy.md §3.6: ε = 0.5, d = 100, r = 5, β = 5 %, f_T = 0
            var oracle = Oracle(name, 0.5);
            Assert.Equal(expected, PoisoningGain.Maximal(oracle.Name, 0.05, 5, 100, 0.5, 0), 0.01);
            Assert.True(PoisoningGain.Maximal(oracle.Name, 0.05, 5, 100, 2, 0) < expected);
        }

        [Theory]
        [InlineData("kRR")]
        [InlineData("OUE")]
        [InlineData("OLH")]
        public void Of_the_maximal_attack_gains_the_formula(string name)
        {
            var oracle = Oracle(name, 1);
            using var random = new SimulationRandom(502);
            var (mean, error) = Added(oracle, Fakes(new FakeReports(oracle, Targets, PoisoningAttack.Maximal, 5000), oracle, 40, random), Targets);
            var formula = PoisoningGain.Maximal(oracle.Name, 1, 5, 100, 1, 0);

            // OLH's q is 1/g for an integer g, not 1/(e^ε + 1): the general form has it exactly.
            var exact = PoisoningGain.Supporting(oracle.TrueSupport, oracle.FalseSupport, 1, name == "kRR" ? 1 : 5, 5, 0);
            Assert.Equal(exact, mean, 1e-9);
            Assert.Equal(formula, exact, name == "OLH" ? 1 : 1e-9);
            Assert.Equal(0, error, 1e-9);
        }

        [Fact]
        public void Has_the_weight_of_an_honest_one()
        {
            var oracle = new UnaryEncoding(1, 100);
            using var random = new SimulationRandom(503);
            var (least, most) = oracle.HonestWeight();
            Assert.All(
                Fakes(new FakeReports(oracle, Targets, PoisoningAttack.Maximal), oracle, 50, random),
                r => Assert.InRange(UnaryEncoding.Weight(r), least, most));
        }
    }

    public sealed class Assigned_seeds
    {
        [Fact]
        public void Are_a_clients_own_and_open_their_commitment()
        {
            var key = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
            var seeds = new AssignedSeeds(key);
            Assert.Equal(seeds.Seed("client-1", 3), new AssignedSeeds(key).Seed("client-1", 3));
            Assert.NotEqual(seeds.Seed("client-1", 3), seeds.Seed("client-1", 4));
            Assert.NotEqual(seeds.Seed("client-1", 3), seeds.Seed("client-2", 3));
            Assert.True(AssignedSeeds.Opens(seeds.Commitment, key));
            key[0] ^= 1;
            Assert.False(AssignedSeeds.Opens(seeds.Commitment, key));
            Assert.True(seeds.Accepts("client-1", new PrefixReport(3, seeds.Seed("client-1", 3), 0)));
            Assert.False(seeds.Accepts("client-1", new PrefixReport(3, seeds.Seed("client-2", 3), 0)));
            Assert.Throws<PrivacyException>(() => new AssignedSeeds(key.AsSpan(1)));
        }

        [Theory]
        [InlineData(1, 4, 1.0)]
        [InlineData(2, 4, 1.25)]
        [InlineData(3, 2, 2.25)]
        public void Leave_a_fake_the_largest_bucket(int balls, int bins, double expected) =>
            Assert.Equal(expected, PoisoningGain.LargestBucket(balls, bins), 1e-12);

        [Fact]
        public void Leave_a_fraction_of_the_maximal_gain()
        {
            var oracle = new LocalHashing(1, 100);
            var seeds = new AssignedSeeds(new byte[32]);
            int[] targets = [.. Enumerable.Range(0, 10)];
            var attack = new FakeReports(oracle, targets, PoisoningAttack.Maximal);
            using var random = new SimulationRandom(504);
            var reports = Enumerable.Range(0, 4000).Select(i =>
            {
                var report = new byte[oracle.ReportBytes];
                attack.Write(report, random, seeds.Seed(i.ToString(CultureInfo.InvariantCulture), 0));
                return report;
            }).ToArray();
            var (mean, error) = Added(oracle, reports, targets);
            Assert.Equal(PoisoningGain.AssignedSeed(1, 1, 10, 0), mean, Randomness.Statistics.Z * error);
            Assert.True(mean < 0.4 * PoisoningGain.Maximal(oracle.Name, 1, 10, 100, 1, 0), $"{mean} is left");
        }

        [Fact]
        public void Do_not_change_what_an_honest_report_says()
        {
            // The law of the report given the seed: exact, over all buckets.
            var oracle = new LocalHashing(1, 10);
            var counts = new long[oracle.Buckets];
            using var random = new SimulationRandom(505);
            var report = new byte[oracle.ReportBytes];
            for (var i = 0; i < 20_000; i++)
            {
                oracle.Randomize(7, 99, report, random);
                Assert.Equal(99UL, LocalHashing.Seed(report));
                counts[report[8]]++;
            }

            var probabilities = Enumerable.Range(0, oracle.Buckets).Select(b =>
            {
                report[8] = (byte)b;
                return oracle.Probability(7, report);
            }).ToArray();
            Randomness.Statistics.AssertChiSquare(counts, probabilities);
        }
    }
}
