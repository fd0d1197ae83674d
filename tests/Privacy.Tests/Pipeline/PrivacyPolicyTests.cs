using System.Text.Json;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Pipeline;

public static partial class PrivacyPolicyTests
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
