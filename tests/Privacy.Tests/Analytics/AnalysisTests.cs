using System.Globalization;
using Federated.Privacy.Analytics;
using Federated.Privacy.Local.Frequencies.Poisoning;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Analytics;

public static class AnalysisTests
{
    private static readonly AssignedSeeds Seeds = new(new byte[32]);

    private static readonly MeanOptions Mean = new() { Question = "age", Lower = 0, Upper = 100, Epsilon = 1 };

    private static readonly QuantilesOptions Quantiles = new() { Question = "age", Lower = 0, Upper = 64, Levels = 5, Epsilon = 2 };

    private static readonly HistogramOptions Bins = new() { Question = "age", Edges = [0, 10, 20, 30, 40], Epsilon = 1 };

    private static readonly HeavyHittersOptions Words = new() { Question = "word", Count = 4, Letters = 4, StepBits = 5, Epsilon = 4 };

    public static TheoryData<string> Kinds => [.. AnalysisKinds.All];

    private static AnalysisOptions OptionsOf(string kind) =>
        kind == AnalysisKinds.Mean ? Mean : kind == AnalysisKinds.Histogram ? Bins : kind == AnalysisKinds.Quantiles ? Quantiles : Words;

    private static List<(byte[] Report, Ticket Ticket)> Ask(PrivateAnalysis analysis, IEnumerable<AnalysisAnswer> answers, IRandomSource random, int from = 0) =>
        [.. answers.Select((answer, i) =>
        {
            var (report, ticket) = (new byte[analysis.ReportBytes], Ticket.Of(Seeds, (from + i).ToString(CultureInfo.InvariantCulture), analysis.Groups));
            analysis.Randomize(answer, ticket, report, random);
            return (report, ticket);
        })];

    private static AnalysisResult Estimate(PrivateAnalysis analysis, IEnumerable<(byte[] Report, Ticket Ticket)> reports)
    {
        var store = new ReportStore(analysis);
        foreach (var (report, ticket) in reports)
        {
            store.Add(report, ticket);
        }

        return analysis.Estimate(store);
    }

    /// <summary>Fails when intervals of stated confidence hold the truth less often than that, at a false-alarm probability of 1e-6.</summary>
    private static void AssertCoverage(int held, int trials, double confidence)
    {
        var least = (trials * confidence) - (Statistics.Z * Math.Sqrt(trials * confidence * (1 - confidence))) - 1;
        Assert.True(held >= least, $"{held} of {trials} intervals of confidence {confidence} hold the truth");
    }

    public sealed class An_analysis
    {
        [Theory]
        [MemberData(nameof(Kinds), MemberType = typeof(AnalysisTests))]
        public void Does_not_depend_on_the_order_of_reports_and_survives_storage(string kind)
        {
            var analysis = PrivateAnalysis.Create(OptionsOf(kind));
            Assert.Equal(kind, analysis.Kind);
            using var random = new SimulationRandom(601);
            var reports = Ask(analysis, Enumerable.Range(0, 600).Select(i => analysis.AsksForNumber ? AnalysisAnswer.Of(i % 40) : AnalysisAnswer.Of("to")), random);
            var first = Estimate(analysis, reports);
            random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(reports));
            Assert.Equal(first.Estimates, Estimate(analysis, reports).Estimates);

            var store = new ReportStore(analysis);
            reports.ForEach(r => store.Add(r.Report, r.Ticket));
            using var memory = new MemoryStream();
            store.Save(new BinaryWriter(memory));
            memory.Position = 0;
            Assert.Equal(first.Estimates, analysis.Estimate(ReportStore.Load(analysis, new BinaryReader(memory))).Estimates);
        }

        [Theory]
        [MemberData(nameof(Kinds), MemberType = typeof(AnalysisTests))]
        public void Refuses_what_is_no_report(string kind)
        {
            var analysis = PrivateAnalysis.Create(OptionsOf(kind));
            var ticket = Ticket.Of(Seeds, "client", analysis.Groups);
            Assert.NotNull(analysis.Problem(new byte[analysis.ReportBytes + 1], ticket));
            var forged = new byte[analysis.ReportBytes];
            forged.AsSpan().Fill(0x7F);
            Assert.NotNull(analysis.Problem(forged, ticket));
            Assert.NotNull(analysis.Problem(new byte[analysis.ReportBytes], ticket with { Group = analysis.Groups }));
            Assert.Throws<PrivacyException>(() => new ReportStore(analysis).Add(forged, ticket));
        }

        [Theory]
        [MemberData(nameof(Kinds), MemberType = typeof(AnalysisTests))]
        public void Guarantees_its_epsilon_and_less_behind_a_shuffler(string kind)
        {
            var analysis = PrivateAnalysis.Create(OptionsOf(kind));
            var local = AnalysisGuarantees.Local(analysis);
            Assert.InRange(local.Epsilon, analysis.Options.Epsilon - 1e-6, analysis.Options.Epsilon);
            var shuffled = AnalysisGuarantees.Shuffled(analysis, 10_000, 1e-6);
            Assert.True(shuffled.Epsilon < local.Epsilon / 2);
            Assert.Equal(TrustModel.Shuffle, shuffled.Trust);
        }

        [Fact]
        public void Puts_clients_into_groups_evenly()
        {
            var counts = new long[5];
            for (var i = 0; i < 10_000; i++)
            {
                counts[Ticket.Of(Seeds, i.ToString(CultureInfo.InvariantCulture), 5).Group]++;
            }

            Statistics.AssertChiSquare(counts, [0.2, 0.2, 0.2, 0.2, 0.2]);
        }
    }

    public sealed class A_mean
    {
        [Theory]
        [InlineData("hybrid", 1)]
        [InlineData("duchi", 0.5)]
        [InlineData("piecewise", 4)]
        [InlineData("laplace", 2)]
        public void Is_in_its_interval_as_often_as_stated(string randomizer, double epsilon)
        {
            var analysis = new MeanAnalysis(Mean with { Randomizer = randomizer, Epsilon = epsilon, Confidence = 0.9 });
            using var random = new SimulationRandom(611);
            const int Trials = 300;
            var held = 0;
            var errors = new double[Trials];
            for (var trial = 0; trial < Trials; trial++)
            {
                var result = Estimate(analysis, Ask(analysis, Enumerable.Range(0, 200).Select(i => AnalysisAnswer.Of(i % 50)), random));
                var estimate = result.Estimates[0];
                held += estimate.Low <= 24.5 && 24.5 <= estimate.High ? 1 : 0;
                errors[trial] = estimate.Value;
            }

            AssertCoverage(held, Trials, 0.9);
            Statistics.AssertMean(errors, 24.5, errors.Sum(e => (e - 24.5) * (e - 24.5)) / Trials);
        }

        [Fact]
        public void Of_shuffled_bits_is_in_its_interval_and_nearer()
        {
            const int Clients = 400;
            var protocol = ScalarSum.ForGuarantee(64, Clients, 1, 1e-6);
            using var random = new SimulationRandom(612);
            var held = 0;
            for (var trial = 0; trial < 300; trial++)
            {
                long ones = 0;
                for (var i = 0; i < Clients; i++)
                {
                    ones += protocol.Randomize(i % 50 / 100.0, random);
                }

                var estimate = ShuffledMean.Estimate(protocol, ones, Clients, Mean).Estimates[0];
                held += estimate.Low <= 24.5 && 24.5 <= estimate.High ? 1 : 0;
                Assert.True(estimate.High - estimate.Low < 6, "a local mean at ε = 1 has ±20 here");
            }

            AssertCoverage(held, 300, 0.95);
        }
    }

    public sealed class A_histogram
    {
        [Theory]
        [InlineData("auto")]
        [InlineData("olh")]
        [InlineData("oue")]
        [InlineData("hadamard")]
        public void Is_in_its_intervals_as_often_as_stated(string oracle)
        {
            var analysis = new HistogramAnalysis(Bins with { Oracle = oracle, Confidence = 0.9 });
            using var random = new SimulationRandom(621);
            double[] truth = [0.5, 0.25, 0.25, 0];
            var held = 0;
            for (var trial = 0; trial < 100; trial++)
            {
                var result = Estimate(analysis, Ask(analysis, Enumerable.Range(0, 400).Select(i => AnalysisAnswer.Of(i % 4 < 2 ? -5 : i % 4 == 2 ? 10 : 29.9)), random, trial * 400));
                Assert.Equal(["[0, 10)", "[10, 20)", "[20, 30)", "[30, 40)"], result.Estimates.Select(e => e.Name));
                held += result.Estimates.Zip(truth).Count(p => p.First.Low <= p.Second && p.Second <= p.First.High);
            }

            AssertCoverage(held, 400, 0.9);
        }

        [Fact]
        public void Counts_unknown_categories_as_the_last()
        {
            var analysis = new HistogramAnalysis(new HistogramOptions { Question = "colour", Categories = ["red", "green", "other"], Epsilon = 8 });
            using var random = new SimulationRandom(622);
            string[] answers = ["Red", "green", "blue", "blue"];
            var result = Estimate(analysis, Ask(analysis, Enumerable.Range(0, 2000).Select(i => AnalysisAnswer.Of(answers[i % 4])), random));
            Assert.All(result.Estimates.Zip((double[])[0.25, 0.25, 0.5]), p => Assert.Equal(p.Second, p.First.Value, 0.05));
        }

        [Fact]
        public void Refuses_edges_and_categories_that_make_no_bins()
        {
            Assert.Throws<PrivacyException>(() => new HistogramAnalysis(new HistogramOptions { Question = "x" }));
            Assert.Throws<PrivacyException>(() => new HistogramAnalysis(Bins with { Categories = ["a", "b"] }));
            Assert.Throws<PrivacyException>(() => new HistogramAnalysis(Bins with { Edges = [0, 0, 1] }));
        }
    }

    public sealed class Quantiles_of_a_number
    {
        [Fact]
        public void Are_in_their_intervals_as_often_as_stated()
        {
            var analysis = new QuantilesAnalysis(Quantiles with { Confidence = 0.9 });
            using var random = new SimulationRandom(631);
            var held = 0;
            for (var trial = 0; trial < 100; trial++)
            {
                // Uniform on 0 … 32: quartiles 8, 16 and 24.
                var result = Estimate(analysis, Ask(analysis, Enumerable.Range(0, 1600).Select(i => AnalysisAnswer.Of(32 * ((i + 0.5) / 1600))), random, trial * 1600));
                held += result.Estimates.Zip((double[])[8, 16, 24]).Count(p => p.First.Low <= p.Second && p.Second <= p.First.High);
                Assert.All(result.Estimates, e => Assert.True(e.Low <= e.Value && e.Value <= e.High));
            }

            AssertCoverage(held, 300, 0.9);
        }

        [Fact]
        public void Are_right_where_there_is_hardly_any_noise()
        {
            var analysis = new QuantilesAnalysis(Quantiles with { Epsilon = 20 });
            using var random = new SimulationRandom(632);
            var result = Estimate(analysis, Ask(analysis, Enumerable.Range(0, 20_000).Select(i => AnalysisAnswer.Of(i % 64)), random));
            Assert.All(result.Estimates.Zip((double[])[16, 32, 48]), p => Assert.Equal(p.Second, p.First.Value, 2.5));
        }

        [Fact]
        public void Add_up_and_are_least_squares()
        {
            // h = 2: own estimates of 2 and of 4 intervals, variances 1 and 2, the sum fixed at 1.
            double[][] own = [[1], [0.7, 0.5], [0.4, 0.2, 0.1, 0.2]];
            var x = QuantilesAnalysis.Consistent(own, [0, 1, 2]);
            Assert.Equal(1, x[1].Sum(), 1e-12);
            Assert.Equal(x[1][0], x[2][0] + x[2][1], 1e-12);
            Assert.Equal(x[1][1], x[2][2] + x[2][3], 1e-12);

            // Optimality: no direction that keeps the sums lowers Σ (x − own)²/V.
            double Loss(double a, double b, double c) =>
                Math.Pow(a + b - 0.7, 2) + Math.Pow(1 - a - b - 0.5, 2)
                + ((Math.Pow(a - 0.4, 2) + Math.Pow(b - 0.2, 2) + Math.Pow(c - 0.1, 2) + Math.Pow(1 - a - b - c - 0.2, 2)) / 2);
            var best = Loss(x[2][0], x[2][1], x[2][2]);
            foreach (var step in (double[])[1e-3, -1e-3])
            {
                Assert.True(Loss(x[2][0] + step, x[2][1], x[2][2]) > best);
                Assert.True(Loss(x[2][0], x[2][1] + step, x[2][2]) > best);
                Assert.True(Loss(x[2][0], x[2][1], x[2][2] + step) > best);
            }
        }
    }

    public sealed class Frequent_words
    {
        [Fact]
        public void Are_found_with_their_shares()
        {
            var analysis = new HeavyHittersAnalysis(Words);
            using var random = new SimulationRandom(641);
            string[] frequent = ["the", "and", "o'er", "I"];
            var result = Estimate(analysis, Ask(
                analysis,
                Enumerable.Range(0, 12_000).Select(i => AnalysisAnswer.Of(i % 8 < 4 ? frequent[i % 8] : WordCode.Decode(random.NextUInt64() >> 44, 4))), random));
            Assert.Equal(frequent.Select(w => w.ToLowerInvariant()).Order(), result.Estimates.Select(e => e.Name).Order());
            Assert.All(result.Estimates, e => Assert.InRange(0.125, e.Low - 0.02, e.High + 0.02));
        }

        [Theory]
        [InlineData("Hamlet", "hamlet")]
        [InlineData("o'er-sea", "o'er-sea")]
        [InlineData("abcdefghij", "abcdefgh")]
        [InlineData("a1é", "a#?")]
        [InlineData("", "(none)")]
        public void Are_read_back_as_they_were_coded(string word, string expected)
        {
            Assert.Equal(expected, WordCode.Decode(WordCode.Encode(word, 8), 8));
            Assert.True(WordCode.Encode(word, 8) < 1UL << 40);
        }

        [Fact]
        public void With_common_beginnings_have_common_prefixes() =>
            Assert.Equal(WordCode.Encode("love", 8) >> 20, WordCode.Encode("lover", 8) >> 20);
    }

    [Fact]
    public static void Intervals_use_the_quantile_of_their_confidence() => Assert.Equal(1.959964, NormalDistribution.UpperQuantile(0.025), 1e-6);
}
