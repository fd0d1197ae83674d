using Federated.Aggregation.Averaging;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Models;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Privacy;

/// <summary>Around the aggregate. Noise is made negligible (z = 10⁻⁶) where what is looked at is something else.</summary>
public static class PrivateReleaseTests
{
    private const double Quiet = 1e-6;

    private static readonly RunFacts Facts = new() { Dimension = 2, Clients = 100, UpdatesPerRelease = 4, LeastUpdatesPerRelease = 4 };

    private static PrivateRelease<double> Central(double noise = Quiet, RunFacts? facts = null, double cohort = 0) => new(
        new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { ClipNorm = 1, NoiseMultiplier = noise, ExpectedCohort = cohort } }, facts ?? Facts, ReleaseRandom.ForSimulation(1));

    private static ModelState<double> State(PrivateRelease<double> privacy) =>
        new([0.0, 0.0], new WeightedMean<double>(2), new Sgd<double>(new()), privacy: privacy);

    private static Accumulate Effect(int client, double weight = 1, int staleness = 0, DeltaBasis basis = DeltaBasis.BaseVersion) => new(
        new Assignment(new AssignmentId(client), new ClientId(client), 0, LocalWork.OfSteps(1), 0, 0), new UpdateReport { Examples = 1, LocalSteps = 1 }, weight, staleness, basis);

    public sealed class The_denominator
    {
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(9)]
        public void Is_public_whatever_arrives(int arrived)
        {
            using var privacy = Central();
            var state = State(privacy);
            for (var client = 0; client < arrived; client++)
            {
                state.Accumulate(Effect(client), [0.5, 0], []);
            }

            state.Publish(new Publish(1, arrived));
            Assert.Equal(0.5 * arrived / 4, state.Current.Parameters[0], 1e-4);
        }

        [Fact]
        public void And_the_noise_are_there_when_nobody_comes()
        {
            using var privacy = Central(noise: 2);
            var state = State(privacy);
            state.Publish(new Publish(1, 0));
            Assert.All(state.Current.Parameters, value => Assert.InRange(Math.Abs(value), 1e-6, 5 * 2 * 1.0 / 4));
        }

        [Fact]
        public void Is_the_runs_own_where_its_sums_are_not_divided_by_a_count()
        {
            // FedAsync: α·s(τ) of each update is added, with nothing divided; the largest weight is α.
            using var privacy = Central(facts: Facts with { UpdatesPerRelease = 1, LargestWeight = 0.6, Divisor = 1 / 0.6 });
            var state = State(privacy);
            state.Accumulate(Effect(1, weight: 0.6), [0.5, 0], []);
            state.Publish(new Publish(1, 1));
            Assert.Equal(0.6 * 0.5, state.Current.Parameters[0], 1e-4);
            state.Accumulate(Effect(2, weight: 0.3), [0.5, 0], []);
            state.Publish(new Publish(2, 1));
            Assert.Equal(0.9 * 0.5, state.Current.Parameters[0], 1e-4);
        }
    }

    public sealed class An_update
    {
        [Fact]
        public void Is_clipped_before_it_is_weighed_whatever_it_holds()
        {
            foreach (var hostile in (double[])[1e30, double.NaN, double.PositiveInfinity])
            {
                using var privacy = Central();
                var state = State(privacy);
                state.Accumulate(Effect(1, weight: 0.5), [hostile, 0], []);
                state.Publish(new Publish(1, 1));
                Assert.Equal(double.IsFinite(hostile) ? 0.5 / 4 : 0, state.Current.Parameters[0], 1e-4);
            }
        }

        [Fact]
        public void Against_the_current_version_moves_by_public_models_too_which_are_neither_clipped_nor_noised()
        {
            using var privacy = Central(noise: Quiet, facts: Facts with { UpdatesPerRelease = 1, LargestWeight = 0.5, Divisor = 2 });
            var state = State(privacy);
            state.Accumulate(Effect(1, weight: 0.5), [1, 0], []);
            state.Publish(new Publish(1, 1)); // w¹ = 0.5
            state.Accumulate(Effect(2, weight: 0.5, staleness: 1, basis: DeltaBasis.CurrentVersion), [1, 0], [-100, 0]);
            state.Publish(new Publish(2, 1));

            // y − w¹ = 1 + (−100 − 0.5), of which the update's 1 is within the bound and the rest is public.
            Assert.Equal(0.5 + (0.5 * (1 - 100.5)), state.Current.Parameters[0], 1e-3);
        }

        [Fact]
        public void That_is_refused_is_left_out_and_told_and_its_place_stays_counted()
        {
            using var privacy = Central();
            var state = State(privacy);
            state.Accumulate(Effect(1), [0.5, 0], []);
            state.Accumulate(Effect(1), [0.5, 0], []); // Twice in one release: 2C for the price of √2.
            state.Accumulate(Effect(2, weight: 1.5), [0.5, 0], []);
            var report = state.Publish(new Publish(1, 3));
            Assert.Equal([1, 2], report.LeftOut.Select(left => left.Client));
            Assert.Equal(0.5 / 4, state.Current.Parameters[0], 1e-4);
            Assert.Equal(1, privacy.Policy.ChargeOf(1)!.Value.Count);
            Assert.Null(privacy.Policy.ChargeOf(2));
        }
    }

    public sealed class A_charge
    {
        [Fact]
        public void Comes_before_the_release_and_is_never_taken_back()
        {
            using var privacy = Central(noise: 2);
            var state = State(privacy);
            state.Accumulate(Effect(1), [0.5, 0], []);
            Assert.Equal(AnalyticGaussian.Epsilon(2, 1e-6), privacy.Policy.Spent!.Epsilon, 1e-9); // Nothing is published yet, or ever will be.
        }

        [Fact]
        public void Falls_on_local_reports_that_were_seen_in_vain()
        {
            using var privacy = new PrivateRelease<double>(new LocalPrivacyOptions { ReportEpsilon = 3 }, Facts, ReleaseRandom.ForSimulation(1));
            privacy.Witness(7);
            privacy.Witness(7);
            var expected = new PldAccountant().Epsilon(new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, 3, 2).Repeated(2), 1e-6);
            Assert.Equal(expected, privacy.Policy.Spent!.Epsilon, 1e-9);
            using var trusted = Central();
            trusted.Witness(7);
            Assert.Null(trusted.Policy.Spent); // A trusted server publishes nothing of it.
        }
    }

    public sealed class A_saved_state
    {
        [Fact]
        public void Is_from_before_the_open_aggregate_which_is_admitted_again()
        {
            using var before = Central(noise: 2);
            var state = State(before);
            Admit(state, 1, 2);
            state.Publish(new Publish(1, 2));
            Admit(state, 2, 3);

            using var after = Copy(before, Central(noise: 2));
            Assert.Equal(1, after.Policy.ChargeOf(2)!.Value.Count);
            Assert.Null(after.Policy.ChargeOf(3));
            var again = State(after);
            again.Restore(1);
            state.Current.Parameters.CopyTo(again.Current.Parameters, 0);
            Admit(again, 2, 3);
            state.Publish(new Publish(2, 2));
            again.Publish(new Publish(2, 2));
            Assert.Equal(state.Current.Parameters, again.Current.Parameters); // The same noise: the same release.
            Assert.Equal(before.Policy.Spent, after.Policy.Spent);
        }

        [Fact]
        public void Keeps_what_was_seen_in_vain_while_the_aggregate_was_open()
        {
            PrivateRelease<double> Local() => new(new LocalPrivacyOptions { ReportEpsilon = 3 }, Facts, ReleaseRandom.ForSimulation(1));
            using var before = Local();
            Assert.Null(before.Admit(1, [0, 0], 1));
            before.Witness(1);
            Assert.Equal(2, before.Policy.ChargeOf(1)!.Value.Count);
            using var after = Copy(before, Local());
            Assert.Equal(1, after.Policy.ChargeOf(1)!.Value.Count);
            Assert.Null(after.Admit(1, [0, 0], 1));
            Assert.Equal(2, after.Policy.ChargeOf(1)!.Value.Count);
        }

        private static void Admit(ModelState<double> state, params int[] clients)
        {
            foreach (var client in clients)
            {
                state.Accumulate(Effect(client), [0.1 * client, 0], []);
            }
        }

        private static PrivateRelease<double> Copy(PrivateRelease<double> from, PrivateRelease<double> to)
        {
            var bytes = new MemoryStream();
            using (var writer = new BinaryWriter(bytes, System.Text.Encoding.UTF8, leaveOpen: true))
            {
                from.Save(writer);
            }

            bytes.Position = 0;
            using var reader = new BinaryReader(bytes);
            to.Load(reader);
            to.Restored();
            return to;
        }
    }

    public sealed class The_noise_of_a_run
    {
        [Fact]
        public void Is_cryptographic_under_a_drawn_key_and_differs_from_release_to_release()
        {
            using var random = new ReleaseRandom(ReleaseRandom.NewKey());
            Assert.True(random.IsCryptographic);
            random.Begin(0);
            var first = random.NextUInt64();
            random.Begin(1);
            Assert.NotEqual(first, random.NextUInt64());
            random.Begin(0);
            Assert.Equal(first, random.NextUInt64());
            using var other = new ReleaseRandom(ReleaseRandom.NewKey());
            other.Begin(0);
            Assert.NotEqual(first, other.NextUInt64());
            other.Rekey(random.Key);
            other.Begin(0);
            Assert.Equal(first, other.NextUInt64());
        }

        [Fact]
        public void Of_a_simulation_is_not()
        {
            using var random = ReleaseRandom.ForSimulation(1);
            Assert.False(random.IsCryptographic);
        }
    }
}
