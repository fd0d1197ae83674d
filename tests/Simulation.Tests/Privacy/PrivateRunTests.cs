using System.Text.Json;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;
using Federated.Privacy.Pipeline;
using Federated.Simulation.Devices;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;
using Federated.Training.Optimizers;

namespace Federated.Simulation.Tests.Privacy;

public static class PrivateRunTests
{
    private const double Delta = 1e-5;

    private static readonly DpFedAvgOptions Average = new() { ClipNorm = 0.5, NoiseMultiplier = 2 };

    private static readonly CentralPrivacyOptions Central = new() { Mechanism = Average, Delta = Delta };

    private static readonly DpFtrlOptions Correlated = new() { ClipNorm = 0.5, NoiseMultiplier = 4, MaxParticipations = 4, MinSeparation = 2 };

    /// <summary>Every policy with a strategy that it is sound with.</summary>
    public static TheoryData<string, ExperimentConfiguration> Policies => new()
    {
        { "central", PrivateRun.Rounds.With(Central) },
        { "central, buffered", PrivateRun.Buffered.With(Central with { MaxParticipations = 6 }) },
        { "central, anarchic", PrivateRun.Anarchic.With(Central) },
        { "central, immediate", Unnormalised(new ImmediateOptions { Concurrency = 5 }).With(Central with { MaxParticipations = 3 }, 30) },
        { "central, compass", Unnormalised(new CompassOptions { MinSteps = 2, MaxSteps = 8 }).With(Central with { MaxParticipations = 4 }, 30) },
        { "central, fixed windows", Windows().With(Central with { Mechanism = Average with { ExpectedCohort = 5 } }) },
        { "central, adaptive", PrivateRun.Buffered.With(Central with { AdaptiveClipping = new AdaptiveClipOptions() }) },
        { "central, Adam at the server", (PrivateRun.Buffered with { Strategy = PrivateRun.Buffered.Strategy with { ServerOptimizer = new Aggregation.ServerOptimizers.AdamOptions() } }).With(Central) },
        { "central, coins", Coins(0.25).With(Central with { Sampling = SamplingClaim.Poisson }) },
        { "dp-ftrl, blt", PrivateRun.Rounds.With(Central with { Mechanism = Correlated }) },
        { "dp-ftrl, tree", PrivateRun.Rounds.With(Central with { Mechanism = Correlated with { Factorization = "tree-honaker" } }) },
        { "dp-ftrl, banded", PrivateRun.Rounds.With(Central with { Mechanism = Correlated with { Factorization = "banded" } }) },
        { "dp-ftrl, Toeplitz", PrivateRun.Rounds.With(Central with { Mechanism = Correlated with { Factorization = "sqrt-toeplitz" } }) },
        { "dp-ftrl, buffered, restarts", PrivateRun.Buffered.With(Central with { Mechanism = Correlated with { MinSeparation = 1, RestartEvery = 3 } }) },
        { "local", PrivateRun.Buffered.With(new LocalPrivacyOptions { ReportEpsilon = 6, ClipNorm = 0.5, Delta = Delta }) },
        { "shuffle", PrivateRun.Buffered.With(new ShufflePrivacyOptions { ReportEpsilon = 2, ClipNorm = 0.5, Delta = Delta }) },
    };

    private static ExperimentConfiguration Unnormalised(SchedulerOptions scheduler) => PrivateRun.Buffered with
    {
        Strategy = PrivateRun.Buffered.Strategy with
        {
            Scheduler = scheduler, StalenessWeight = new PolynomialStaleness(), Aggregator = new WeightedMeanOptions { Normalisation = Normalisation.None },
        },
    };

    private static ExperimentConfiguration Coins(double probability) =>
        PrivateRun.Rounds with { Strategy = PrivateRun.Rounds.Strategy with { Scheduler = new PoissonOptions { Probability = probability } } };

    private static ExperimentConfiguration Windows() =>
        PrivateRun.Buffered with { Strategy = PrivateRun.Buffered.Strategy with { Scheduler = new FixedWindowOptions { Window = 0.7 } } };

    public sealed class Every_policy
    {
        [Theory]
        [MemberData(nameof(Policies), MemberType = typeof(PrivateRunTests))]
        public void Gives_the_same_bits_on_any_number_of_threads(string name, ExperimentConfiguration run)
        {
            var one = run.Start();
            var two = (run with { Threads = 2 }).Start();
            Assert.True(one.ModelSha256 == two.ModelSha256, $"{name}: two threads gave another model than one.");
            Assert.Equal(one.Privacy, two.Privacy);
            Assert.NotEqual(one.ModelSha256, (run with { Seed = 6 }).Start().ModelSha256);
            Assert.NotEqual(one.ModelSha256, (run with { Privacy = new NoPrivacyOptions() }).Start().ModelSha256);
        }

        [Theory]
        [MemberData(nameof(Policies), MemberType = typeof(PrivateRunTests))]
        public void Says_what_it_guarantees_and_that_simulated_noise_protects_nobody(string name, ExperimentConfiguration run)
        {
            var summary = run.Start();
            Assert.True(summary is { Epsilon: > 0, Delta: Delta, Versions: > 2, Rejected: 0 }, $"{name}: {summary}");
            var spent = summary.Privacy!.Spent!;
            Assert.Equal(PrivacyUnit.Client, spent.Relation.Unit);
            Assert.Contains(spent.Assumptions, a => a.Contains("seeded simulation", StringComparison.Ordinal));
            using var json = new MemoryStream();
            SummaryFile.Write(summary, json);
            var told = JsonDocument.Parse(json.ToArray()).RootElement.GetProperty("privacy");
            Assert.Equal(summary.Epsilon, told.GetProperty("spent").GetProperty("epsilon").GetDouble());
            Assert.Equal(spent.Accountant, told.GetProperty("spent").GetProperty("accountant").GetString());
            var page = RunReport.Render(new ReportInput(summary, "", new ReportCollector(), null));
            Assert.Contains(spent.ToString(), page, StringComparison.Ordinal);
        }
    }

    public sealed class The_epsilon_of_an_evaluation
    {
        [Fact]
        public void Is_the_accountants_for_what_the_busiest_client_really_took_part_in()
        {
            foreach (var run in (ExperimentConfiguration[])[PrivateRun.Buffered, PrivateRun.Anarchic])
            {
                var books = new Bookkeeper(most => AnalyticGaussian.Epsilon(2 / Math.Sqrt(most), Delta), row => row.Outcome == UpdateOutcome.Accepted);
                var summary = run.With(Central, versions: 12).Start(books);
                books.AssertTruth();
                Assert.Equal(AnalyticGaussian.Epsilon(2 / Math.Sqrt(books.Most), Delta), summary.Epsilon, 1e-9);
                Assert.True(books.Most > books.Releases.Values.Min(list => list.Count) + 2, "All took part alike often: the test shows little.");
            }
        }

        [Fact]
        public void Composes_shuffled_batches_of_the_least_size()
        {
            var report = new ShuffledEvent(PrivacyUnit.ClientParticipation, LocalRandomizer.Generic(2), 5);
            var books = new Bookkeeper(most => new PldAccountant().Epsilon(report.Repeated(most), Delta), row => row.Outcome == UpdateOutcome.Accepted);
            PrivateRun.Buffered.With(new ShufflePrivacyOptions { ReportEpsilon = 2, ClipNorm = 0.5, Delta = Delta }).Start(books);
            books.AssertTruth();
        }

        [Fact]
        public void Counts_local_reports_that_came_in_vain()
        {
            // Whatever is stale is refused on arrival; the server has seen it all the same.
            var run = PrivateRun.Buffered with { Run = PrivateRun.Buffered.Run with { MaxStaleness = 0 } };
            var report = new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, 6, 2);
            var books = new Bookkeeper(
                most => new PldAccountant().Epsilon(report.Repeated(most), Delta), row => row.Outcome == UpdateOutcome.Accepted || row is { Outcome: UpdateOutcome.Rejected, Reason: "stale" });
            var summary = run.With(new LocalPrivacyOptions { ReportEpsilon = 6, ClipNorm = 0.5, Delta = Delta }).Start(books);
            Assert.True(summary.Rejected > 5, $"Only {summary.Rejected} reports came in vain: the test shows little.");
            books.AssertTruth();
        }

        [Fact]
        public void Is_amplified_for_cohorts_that_are_uniform_samples()
        {
            var release = new FixedSizeSampledEvent(PrivateRun.Clients, 5, new GaussianEvent(NeighbourRelation.ReplaceOneClient, 1));
            var run = PrivateRun.Rounds.With(Central with { Sampling = SamplingClaim.FixedSize }, versions: 4);
            Assert.Equal(new PldAccountant().Epsilon(release.Repeated(4), Delta), run.Start().Epsilon, 1e-9);
        }

        [Fact]
        public void Is_amplified_for_cohorts_drawn_by_coins_and_counts_empty_ones()
        {
            var recorder = new Engine.Recorder();
            var summary = Coins(0.02).With(Central with { Sampling = SamplingClaim.Poisson }, versions: 6).Start(recorder);
            Assert.Contains(recorder.Versions, v => v.Updates == 0);
            var release = new PoissonSampledEvent(0.02, new GaussianEvent(NeighbourRelation.AddRemoveClient, 2));
            Assert.Equal(new PldAccountant().Epsilon(release.Repeated(6), Delta), summary.Epsilon, 1e-9);
        }

        [Fact]
        public void Is_that_of_the_whole_matrix_from_the_first_release_on()
        {
            var recorder = new Engine.Recorder();
            PrivateRun.Rounds.With(Central with { Mechanism = Correlated }).Start(recorder);
            Assert.True(recorder.Evaluations.Count > 2, $"{recorder.Evaluations.Count} evaluations show little.");
            Assert.Equal(0, recorder.Evaluations[0].Epsilon);
            Assert.All(recorder.Evaluations.Skip(1), e => Assert.Equal(AnalyticGaussian.Epsilon(4, Delta), e.Epsilon, 1e-9));
        }
    }

    public sealed class A_budget
    {
        [Fact]
        public void Ends_the_run_before_the_release_that_would_exceed_it()
        {
            var release = new FixedSizeSampledEvent(PrivateRun.Clients, 5, new GaussianEvent(NeighbourRelation.ReplaceOneClient, 1));
            var accountant = new PldAccountant();
            var budget = accountant.Epsilon(release.Repeated(5), Delta) + 1e-6;
            var summary = PrivateRun.Rounds.With(Central with { Sampling = SamplingClaim.FixedSize, Epsilon = budget }, versions: 0)
                .Capped().Start();
            Assert.Equal(("budget", 5), (summary.FinishReason, summary.Versions));
            Assert.Contains("5 releases are all that the budget", summary.FinishDetail, StringComparison.Ordinal);
            Assert.InRange(summary.Epsilon, 0, budget);
            Assert.True(accountant.Epsilon(release.Repeated(6), Delta) > budget);
        }

        [Fact]
        public void Of_a_client_turns_it_away_and_ends_the_run_when_too_few_are_left()
        {
            foreach (var run in (ExperimentConfiguration[])[PrivateRun.Rounds, PrivateRun.Buffered, PrivateRun.Anarchic])
            {
                var budget = AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), Delta) + 1e-9; // Three participations, not four.
                var books = new Bookkeeper(_ => double.NaN, row => row.Outcome == UpdateOutcome.Accepted);
                var summary = run.With(Central with { Epsilon = budget }, versions: 1000).Start(books);
                Assert.Equal("budget", summary.FinishReason);
                Assert.Contains("3 times", summary.FinishDetail, StringComparison.Ordinal);
                Assert.Equal(3, books.Most);
                Assert.InRange(summary.Epsilon, 0, budget);
                Assert.Equal(0, summary.Rejected); // Nobody trained in vain.
                Assert.True(summary.Versions >= (3 * PrivateRun.Clients / 5) - 3, $"It ended at version {summary.Versions} with budget left for more.");
            }
        }

        [Fact]
        public void That_correlated_noise_was_planned_for_ends_the_run_with_its_last_release()
        {
            var summary = PrivateRun.Rounds.With(Central with { Mechanism = Correlated with { Steps = 6 } }, versions: 20).Start();
            Assert.Equal(("budget", 6), (summary.FinishReason, summary.Versions));
        }

        [Fact]
        public void Is_counted_in_work_given_out_where_reports_cannot_be_unseen()
        {
            // Over-selected clients may or may not have sent their report when the round closes.
            var run = PrivateRun.Rounds with
            {
                Strategy = PrivateRun.Rounds.Strategy with { Scheduler = new SynchronousOptions { Cohort = 5, OverSelection = 0.6 } }, Clients = PrivateRun.Uneven,
            };
            var books = new Bookkeeper(_ => double.NaN, _ => true);
            var summary = run.With(new LocalPrivacyOptions { ReportEpsilon = 6, ClipNorm = 0.5, Delta = Delta, MaxParticipations = 2 }, versions: 100).Start(books);
            Assert.Equal("budget", summary.FinishReason);
            Assert.Equal(2, books.Most);
        }
    }

    public sealed class A_participation_pattern
    {
        [Theory]
        [InlineData(3, 2, 0)]
        [InlineData(2, 1, 4)]
        public void That_noise_is_scaled_to_is_kept_by_every_client(int most, int separation, int restart)
        {
            var books = new Bookkeeper(_ => double.NaN, row => row.Outcome == UpdateOutcome.Accepted);
            var mechanism = Correlated with { MaxParticipations = most, MinSeparation = separation, RestartEvery = restart, Steps = 12 };
            var summary = PrivateRun.Buffered.With(Central with { Mechanism = mechanism }, versions: 12).Start(books);
            Assert.True(summary.Versions >= 8, $"Only {summary.Versions} versions: the test shows little.");
            Assert.True(books.Most > 1, "Nobody took part twice: the test shows little.");
            foreach (var releases in books.Releases.Values)
            {
                var span = restart > 0 ? restart : 12;
                Assert.All(releases.GroupBy(release => release / span), tree => Assert.InRange(tree.Count(), 1, most));
                Assert.All(releases.Zip(releases.Skip(1)), pair => Assert.True(
                    pair.Second - pair.First >= separation || (restart > 0 && pair.First / span != pair.Second / span), $"Releases {pair.First} and {pair.Second} are too near."));
            }
        }

        [Fact]
        public void Of_a_buffer_has_each_client_once_in_a_release()
        {
            var books = new Bookkeeper(_ => double.NaN, row => row.Outcome == UpdateOutcome.Accepted);
            PrivateRun.Buffered.With(Central, versions: 20).Start(books);
            Assert.All(books.Releases.Values, releases => Assert.Equal(releases.Distinct().Count(), releases.Count));

            // Without a policy the fast ones are in it twice: the test sees what it looks for.
            var free = new Bookkeeper(_ => double.NaN, row => row.Outcome == UpdateOutcome.Accepted);
            PrivateRun.Buffered.With(new NoPrivacyOptions(), versions: 20).Start(free);
            Assert.Contains(free.Releases.Values, releases => releases.Distinct().Count() < releases.Count);
        }
    }

    public sealed class An_update_that_is_not_finite
    {
        [Fact]
        public void Counts_as_zero_and_tells_nothing()
        {
            var exploding = (LocalTraining)PrivateRun.Rounds.Training with { Optimizer = new SgdOptions { LearningRate = 3e38 } };
            foreach (var policy in (PrivacyOptions[])[Central, Central with { AdaptiveClipping = new AdaptiveClipOptions() }, new LocalPrivacyOptions { ReportEpsilon = 6, Delta = Delta }])
            {
                var summary = (PrivateRun.Rounds with { Training = exploding }).With(policy).Start();
                Assert.Equal(("versions", 8, 0L), (summary.FinishReason, summary.Versions, summary.Rejected));
                Assert.True(double.IsFinite(summary.FinalLoss));
            }
        }
    }

    public sealed class Without_a_policy
    {
        [Fact]
        public void Nothing_is_claimed_and_the_file_says_so()
        {
            var summary = PrivateRun.Rounds.Start();
            Assert.True(double.IsNaN(summary.Epsilon) && double.IsNaN(summary.Delta) && summary.Privacy is null);
        }
    }

    private static ExperimentConfiguration Capped(this ExperimentConfiguration run) =>
        run with { Run = run.Run with { Stop = new StopOptions { ClientUpdates = 1000 } } };
}
