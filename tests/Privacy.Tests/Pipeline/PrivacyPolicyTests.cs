using System.Text.Json;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Central;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Clipping;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Pipeline;

public static class PrivacyPolicyTests
{
    private static readonly RunFacts Facts = new()
    {
        Dimension = 50, Clients = 1000, PlannedReleases = 20, UpdatesPerRelease = 10, LeastUpdatesPerRelease = 10,
    };

    private static PrivacyPolicy<double> Create(PrivacyOptions options, RunFacts? facts = null) =>
        PrivacyPolicies.Create<double>(options, facts ?? Facts, new SimulationRandom(201));

    /// <summary>One release of n clients that all send the same update; returns what is published.</summary>
    private static double[] Round(PrivacyPolicy<double> policy, int clients, double[] update, IRandomSource random, int firstClient = 0)
    {
        var combined = new double[update.Length];
        var client = policy.CreateClient();
        for (var i = 0; i < clients; i++)
        {
            var delta = (double[])update.Clone();
            client.Protect(delta, random);
            Assert.Null(policy.Admit(firstClient + i, delta, 1));
            for (var j = 0; j < delta.Length; j++)
            {
                combined[j] += policy.TakesPlainSum ? delta[j] : delta[j] / clients;
            }
        }

        Assert.Null(policy.RefusalToRelease(clients));
        policy.Release(combined, clients);
        return combined;
    }

    public sealed class Options_
    {
        [Theory]
        [InlineData("""{"kind":"none"}""", typeof(NoPrivacyOptions))]
        [InlineData("""{"kind":"central","Mechanism":{"kind":"dp-ftrl","MinSeparation":5},"Epsilon":2}""", typeof(CentralPrivacyOptions))]
        [InlineData("""{"kind":"local","ReportEpsilon":8}""", typeof(LocalPrivacyOptions))]
        [InlineData("""{"kind":"shuffle","MinBatch":500}""", typeof(ShufflePrivacyOptions))]
        [InlineData("""{"kind":"example","SamplingRate":0.1}""", typeof(ExamplePrivacyOptions))]
        public void Are_read_by_kind(string json, Type type)
        {
            var options = JsonSerializer.Deserialize<PrivacyOptions>(json)!;
            Assert.IsType(type, options);
            Assert.Equivalent(options, JsonSerializer.Deserialize<PrivacyOptions>(JsonSerializer.Serialize(options)), strict: true); // By value: lists have no equality.
        }
    }

    public sealed class Without_a_policy
    {
        [Fact]
        public void Updates_pass_and_nothing_is_guaranteed()
        {
            var policy = Create(new NoPrivacyOptions());
            using var random = new SimulationRandom(202);
            Assert.Equal([3.0, -2.0], Round(policy, 4, [3, -2], random).Select(x => Math.Round(x, 12)));
            Assert.Null(policy.Planned);
            Assert.Null(policy.Spent);
        }
    }

    public sealed class The_central_policy
    {
        private static readonly CentralPrivacyOptions Options = new() { Mechanism = new DpFedAvgOptions { ClipNorm = 0.5, NoiseMultiplier = 2 } };

        [Fact]
        public void Publishes_the_clipped_sum_over_the_public_cohort_with_its_noise()
        {
            var policy = Create(Options, Facts with { Dimension = 5000 });
            using var random = new SimulationRandom(203);
            var update = new double[5000];
            update[0] = 100; // clipped to ½ along the first axis
            var published = Round(policy, 7, update, random);
            Statistics.AssertVariance(published.AsSpan(1), 0, Math.Pow(2 * 0.5 / 10, 2));
            Assert.Equal(7 * 0.5 / 10, published[0], 5 * 0.1);
        }

        [Fact]
        public void Charges_each_client_for_what_it_took_part_in()
        {
            var policy = Create(Options);
            using var random = new SimulationRandom(204);
            Round(policy, 10, new double[50], random);
            Assert.Equal(AnalyticGaussian.Epsilon(2, 1e-6), policy.Spent!.Epsilon, 1e-9);
            Round(policy, 10, new double[50], random, firstClient: 500);
            Assert.Equal(AnalyticGaussian.Epsilon(2, 1e-6), policy.Spent!.Epsilon, 1e-9);
            Round(policy, 10, new double[50], random, firstClient: 509);
            Assert.Equal(AnalyticGaussian.Epsilon(2 / Math.Sqrt(2), 1e-6), policy.Spent!.Epsilon, 1e-9);
            Assert.Contains(policy.Spent.Assumptions, a => a.Contains("simulation", StringComparison.Ordinal));
            Assert.Equal(PrivacyUnit.Client, policy.Spent.Relation.Unit);
        }

        [Fact]
        public void Turns_a_client_away_before_it_would_exceed_the_budget()
        {
            var budget = AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-6) + 1e-9;
            var policy = Create(Options with { Epsilon = budget });
            for (var round = 0; round < 3; round++)
            {
                Assert.Null(policy.RefusalFor(1));
                Assert.Null(policy.Admit(1, new double[50], 1));
                policy.Release(new double[50], 1);
            }

            Assert.NotNull(policy.RefusalFor(1));
            Assert.NotNull(policy.Admit(1, new double[50], 1));
            Assert.True(policy.Spent!.Epsilon <= budget);
            Assert.Null(policy.RefusalFor(2));
            Assert.Equal(budget, policy.Planned!.Epsilon, 1e-6);
        }

        [Fact]
        public void Takes_the_least_noise_for_its_budget_when_none_is_given()
        {
            var policy = Create(new CentralPrivacyOptions { Epsilon = 3, MaxParticipations = 4 });
            Assert.Equal(3, policy.Planned!.Epsilon, 1e-6);
            Assert.True(policy.Planned.Epsilon <= 3);
        }

        [Fact]
        public void Bounds_what_one_client_moves_whatever_it_sends()
        {
            foreach (var bad in new[] { 1e30, double.NaN, double.PositiveInfinity, -1e300 })
            {
                var policy = Create(Options);
                var delta = new double[50];
                Array.Fill(delta, bad);
                Assert.Null(policy.Admit(1, delta, 1)); // straight to the server, without the client's clipping
                Assert.True(L2Clip.Norm<double>(delta) <= 0.5);
            }
        }

        [Fact]
        public void Applies_weights_up_to_one_and_refuses_others()
        {
            var policy = Create(Options);
            double[] delta = [0.4, .. new double[49]];
            Assert.Null(policy.Admit(1, delta, 0.5));
            Assert.Equal(0.2, delta[0], 1e-4);
            Assert.Contains("weight", policy.Admit(2, new double[50], 1.01), StringComparison.Ordinal);
            Assert.Contains("weight", policy.Admit(2, new double[50], double.NaN), StringComparison.Ordinal);
        }

        [Fact]
        public void Refuses_combinations_that_are_not_sound()
        {
            Assert.Contains("aggregator", Refusal(Options, Facts with { AggregatesByMean = false }), StringComparison.Ordinal);
            Assert.Contains("examples", Refusal(Options, Facts with { WeightsArePublic = false }), StringComparison.Ordinal);
            Assert.Contains("control variates", Refusal(Options, Facts with { SendsMoreThanTheUpdate = true }), StringComparison.Ordinal);
            Assert.Contains("does not sample", Refusal(Options with { Sampling = SamplingClaim.Poisson }, Facts), StringComparison.Ordinal);
            Assert.Contains("noise multiplier", Refusal(new CentralPrivacyOptions(), Facts), StringComparison.Ordinal);
        }

        [Fact]
        public void Claims_amplification_only_where_the_scheduler_samples_and_stops_at_the_budget()
        {
            var facts = Facts with { Sampling = SamplingClaim.Poisson, SamplingProbability = 0.01, PlannedReleases = 1000 };
            var options = Options with { Sampling = SamplingClaim.Poisson, Mechanism = new DpFedAvgOptions { NoiseMultiplier = 1 }, Delta = 1e-5, Epsilon = 2 };
            var policy = Create(options, facts);
            Assert.Equal(new PldAccountant().Epsilon(
                new PoissonSampledEvent(0.01, new GaussianEvent(NeighbourRelation.AddRemoveClient, 1)).Repeated(1000), 1e-5), policy.Planned!.Epsilon, 1e-12);
            policy.Restore(policy.Save() with { Releases = 1000 });
            Assert.True(policy.Spent!.Epsilon <= 2);
            policy.Restore(policy.Save() with { Releases = 2000 });
            Assert.Contains("budget", policy.RefusalToRelease(10), StringComparison.Ordinal);
            Assert.Throws<PrivacyException>(() => policy.Release(new double[50], 10));
        }

        [Fact]
        public void Under_fixed_size_sampling_accounts_for_twice_the_sensitivity()
        {
            var facts = Facts with { Sampling = SamplingClaim.FixedSize };
            var policy = Create(Options with { Sampling = SamplingClaim.FixedSize }, facts);
            var expected = new PldAccountant().Epsilon(
                new FixedSizeSampledEvent(1000, 10, new GaussianEvent(NeighbourRelation.ReplaceOneClient, 1)).Repeated(20), 1e-6);
            Assert.Equal(expected, policy.Planned!.Epsilon, 1e-9);
            Assert.Equal(Adjacency.ReplaceOne, policy.Planned.Relation.Adjacency);
        }

        [Fact]
        public void Adapts_its_bound_after_releases_only()
        {
            var policy = Create(Options with { AdaptiveClipping = new AdaptiveClipOptions { InitialBound = 0.1, BitNoise = 2 } });
            using var random = new SimulationRandom(205);
            double[] update = [5, .. new double[49]];
            var before = policy.Save().ClipNorm;
            Round(policy, 10, update, random);
            Assert.Equal(0.1, before);
            Assert.InRange(policy.Save().ClipNorm, 0.1, 0.1 * Math.Exp(0.1)); // all norms were beyond the bound; noise on the share is 0.2
        }
    }

    public sealed class The_central_policy_with_correlated_noise
    {
        private static readonly CentralPrivacyOptions Options = new()
        {
            Epsilon = 4,
            Mechanism = new DpFtrlOptions { Factorization = FactorizationNames.OptimizedBanded, MaxParticipations = 4, MinSeparation = 5 },
        };

        [Fact]
        public void Plans_the_run_as_one_release_of_the_budget()
        {
            var policy = Create(Options);
            Assert.Equal(4, policy.Planned!.Epsilon, 1e-6);
            Assert.True(policy.Planned.Epsilon <= 4);
            Assert.Null(policy.Spent);
            using var random = new SimulationRandom(206);
            Round(policy, 10, new double[50], random);
            Assert.Equal(policy.Planned.Epsilon, policy.Spent!.Epsilon);
        }

        [Fact]
        public void Keeps_clients_to_the_pattern_and_the_run_to_its_length()
        {
            var policy = Create(Options);
            using var random = new SimulationRandom(207);
            Round(policy, 10, new double[50], random);
            Assert.Contains("from step 5 on", policy.RefusalFor(3), StringComparison.Ordinal);
            Assert.NotNull(policy.Admit(3, new double[50], 1));
            for (var t = 1; t < 20; t++)
            {
                Round(policy, 1, new double[50], random, firstClient: 100 + t);
            }

            Assert.Contains("covers 20 releases", policy.RefusalToRelease(10), StringComparison.Ordinal);
            Assert.Throws<PrivacyException>(() => policy.Release(new double[50], 10));
        }

        [Fact]
        public void Continues_after_a_crash_with_noise_and_gate()
        {
            var policy = Create(Options);
            using var random = new SimulationRandom(208);
            Round(policy, 10, new double[50], random);
            Round(policy, 10, new double[50], random, firstClient: 10);
            var restored = Create(Options);
            restored.Restore(policy.Save());
            Assert.NotNull(restored.RefusalFor(3));
            Assert.NotNull(restored.RefusalFor(12));
            Assert.Null(restored.RefusalFor(30));
            Assert.Equal(policy.Save().Noise[0].ToArray(), restored.Save().Noise[0].ToArray());
        }

        [Fact]
        public void Refuses_what_it_cannot_keep()
        {
            Assert.Contains("sampling", Refusal(Options with { AdaptiveClipping = new() }, Facts), StringComparison.Ordinal);
            Assert.Contains("number of releases", Refusal(Options, Facts with { PlannedReleases = 0 }), StringComparison.Ordinal);
            Assert.Contains(
                "budget", Refusal(Options with { Mechanism = new DpFtrlOptions { NoiseMultiplier = 0.5 } }, Facts), StringComparison.Ordinal);
        }
    }

    public sealed class The_local_policy
    {
        [Fact]
        public void Publishes_an_unbiased_mean_of_randomised_reports()
        {
            const int clients = 4000;
            var policy = Create(new LocalPrivacyOptions { ReportEpsilon = 6, ClipNorm = 2 }, Facts with { Dimension = 4 });
            using var random = new SimulationRandom(209);
            var mean = Round(policy, clients, [1, -0.5, 0, 0.25], random);
            var error = 0.0;
            double[] truth = [1, -0.5, 0, 0.25];
            for (var j = 0; j < 4; j++)
            {
                error += Math.Pow(mean[j] - truth[j], 2);
            }

            // C²·MSE/n with PrivUnitG's MSE of about 1.2 at ε = 6, d = 5; ten times that by chance: below 1e-6.
            Assert.True(error < 10 * 4 * 1.3 / clients, $"squared error {error}");
            Assert.Equal(6, policy.Spent!.Epsilon, 1e-5); // δ = 1e-6 takes a little off
            Assert.Equal(TrustModel.Local, policy.Spent.Trust);
            Assert.Equal(Adjacency.ReplaceOne, policy.Spent.Relation.Adjacency);
            Assert.Equal(10, policy.ReportBytes);
        }

        [Fact]
        public void Refuses_reports_that_no_honest_client_sends()
        {
            var policy = Create(new LocalPrivacyOptions());
            var forged = new double[50];
            forged[0] = 1e6;
            Assert.Contains("norm", policy.Admit(1, forged, 1), StringComparison.Ordinal);
            forged[0] = double.NaN;
            Assert.NotNull(policy.Admit(1, forged, 1));
            Assert.Null(policy.Spent);
        }

        [Fact]
        public void Limits_reports_a_client_to_the_budget()
        {
            var policy = Create(new LocalPrivacyOptions { ReportEpsilon = 1, Epsilon = 2.5 });
            using var random = new SimulationRandom(210);
            Round(policy, 5, new double[50], random);
            Round(policy, 5, new double[50], random);
            Assert.NotNull(policy.RefusalFor(0));
            Assert.Contains("budget", policy.RefusalFor(0), StringComparison.Ordinal);
        }
    }

    public sealed class The_example_policy
    {
        private static readonly ExamplePrivacyOptions Options = new() { NoiseMultiplier = 1.1, SamplingRate = 0.05, Delta = 1e-5 };

        [Fact]
        public void Charges_a_client_the_steps_of_its_assignments()
        {
            var policy = Create(Options with { MaxParticipations = 4 }, Facts with { LocalSteps = 20 });
            var relation = new NeighbourRelation(PrivacyUnit.Example, Adjacency.AddRemove);
            double Cost(int steps) => new PldAccountant().Epsilon(new RepeatedEvent(new PoissonSampledEvent(0.05, new GaussianEvent(relation, 1.1)), steps), 1e-5);
            Assert.Equal(Cost(80), policy.Planned!.Epsilon, 1e-9);
            Assert.Equal((relation, TrustModel.Local), (policy.Planned.Relation, policy.Planned.Trust));
            Assert.Null(policy.Spent);

            Assert.Null(policy.Admit(7, new double[50], 1));
            policy.Witness(7); // Too late, but seen.
            Assert.Null(policy.Admit(3, new double[50], 1));
            Assert.Equal(Cost(40), policy.Spent!.Epsilon, 1e-9);
            Assert.Equal(Cost(20), policy.SpentBy(3)!.Epsilon, 1e-9);

            var restarted = Create(Options with { MaxParticipations = 4 }, Facts with { LocalSteps = 20 });
            restarted.Restore(policy.Save());
            Assert.Equal(policy.Spent.Epsilon, restarted.Spent!.Epsilon);
            Assert.Null(restarted.Admit(7, new double[50], 1));
            Assert.Null(restarted.Admit(7, new double[50], 1));
            Assert.Contains("4 times", restarted.Admit(7, new double[50], 1), StringComparison.Ordinal);
            Assert.True(restarted.Limits.CountsAssignments);
        }

        [Fact]
        public void Ends_a_clients_part_at_the_budget()
        {
            var policy = Create(Options with { Epsilon = 5 }, Facts with { LocalSteps = 100 });
            Assert.InRange(policy.Planned!.Epsilon, 2, 5);
            var free = Create(Options with { MaxParticipations = policy.Limits.Cap + 1 }, Facts with { LocalSteps = 100 });
            Assert.True(free.Planned!.Epsilon > 5, "One more would have been too many.");
            Assert.Contains("one assignment", Refusal(Options with { Epsilon = 0.01 }, Facts with { LocalSteps = 100 }), StringComparison.OrdinalIgnoreCase);
        }

        [Fact]
        public void Is_refused_where_the_steps_or_the_weights_follow_from_the_data()
        {
            Assert.Contains("training.steps", Refusal(Options, Facts), StringComparison.Ordinal);
            Assert.Contains("equal weights", Refusal(Options, Facts with { LocalSteps = 5, WeightsArePublic = false }), StringComparison.Ordinal);
        }

        private static string Refusal(PrivacyOptions options, RunFacts facts) => Assert.Throws<PrivacyException>(() => Create(options, facts)).Message;
    }

    public sealed class The_shuffle_policy
    {
        [Fact]
        public void Amplifies_by_the_batch_that_it_enforces()
        {
            var facts = Facts with { LeastUpdatesPerRelease = 500, UpdatesPerRelease = 500, Dimension = 3 };
            var policy = Create(new ShufflePrivacyOptions { ReportEpsilon = 2, MaxParticipations = 1, Delta = 1e-6, AssumedCorrupt = 50 }, facts);
            Assert.Equal(
                ShuffleAmplification.Epsilon(ShuffleBound.Fmt23, LocalRandomizer.Generic(2), 450, 1e-6), policy.Planned!.Epsilon, 2e-3);
            Assert.Equal(TrustModel.Shuffle, policy.Planned.Trust);
            Assert.Contains("accounted for 500", policy.RefusalToRelease(499), StringComparison.Ordinal);
            Assert.Throws<PrivacyException>(() => policy.Release(new double[3], 499));
            Assert.Null(policy.RefusalToRelease(500));
        }

        [Fact]
        public void Refuses_schedulers_and_weights_under_which_it_would_not_hold()
        {
            Assert.Contains("batches of 500", Refusal(new ShufflePrivacyOptions { MinBatch = 500 }, Facts), StringComparison.Ordinal);
            Assert.Contains("equal weights", Refusal(new ShufflePrivacyOptions(), Facts with { WeightsAreEqual = false }), StringComparison.Ordinal);
            Assert.Contains("at least 2", Refusal(new ShufflePrivacyOptions(), Facts with { LeastUpdatesPerRelease = 1 }), StringComparison.Ordinal);
        }
    }

    private static string Refusal(PrivacyOptions options, RunFacts facts) => Assert.Throws<PrivacyException>(() => Create(options, facts)).Message;
}
