using Federated.Privacy.Accounting;
using Federated.Privacy.Central;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Clipping;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Pipeline;

/// <content>Noise that the coordinator adds.</content>
public static partial class PrivacyPolicyTests
{
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
}
