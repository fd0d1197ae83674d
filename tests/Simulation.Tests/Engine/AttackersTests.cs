using Federated.Aggregation.Averaging;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Training.Data;

namespace Federated.Simulation.Tests.Engine;

public static class AttackersTests
{
    /// <summary>Client 0 attacks; clients 1 and 2 are honest, with mean (2, 4) and standard deviations (1, 2).</summary>
    private static readonly double[][] Updates = [[10, 10], [1, 2], [3, 6]];

    public sealed class Accumulate
    {
        [Fact]
        public void Leaves_everything_as_it_is_without_an_attack() => Assert.Equal([14.0, 18.0], Sum(new NoAttack(), 0, 1, 2));

        [Fact]
        public void Turns_the_attackers_own_update_around_under_sign_flip() =>
            Assert.Equal([4.0 - 20, 8.0 - 20], Sum(new SignFlipAttack { Scale = 2 }, 0, 1, 2));

        [Theory]
        [InlineData(0, 1, 2)]
        [InlineData(2, 1, 0)]
        public void Stays_some_deviations_off_the_honest_mean_under_alie_in_any_order(int first, int second, int third) =>
            Assert.Equal([4 + (2 - 1.5), 8 + (4 - 3.0)], Sum(new AlieAttack { Deviations = 1.5 }, first, second, third));

        [Fact]
        public void Sends_the_honest_mean_backwards_under_inner_product() =>
            Assert.Equal([4 - 1.0, 8 - 2.0], Sum(new InnerProductAttack { Epsilon = 0.5 }, 0, 1, 2));

        [Fact]
        public void Colluding_attackers_all_send_the_same() =>
            Assert.Equal([3 - (2 * 1.5), 6 - (2 * 3.0)], Sum(new InnerProductAttack { Attackers = 2, Epsilon = 0.5 }, 0, 1, 2));

        [Fact]
        public void Colluding_attackers_that_are_alone_in_a_version_take_their_own_updates() =>
            Assert.Equal([-5.0, -5.0], Sum(new InnerProductAttack { Epsilon = 0.5 }, 0));

        [Fact]
        public void Knows_only_the_updates_of_the_same_version()
        {
            var (attackers, state) = (new Attackers<double>(new InnerProductAttack { Epsilon = 1 }), State());
            Fold(attackers, state, 1, id: 0);
            attackers.Publish(state);
            state.Publish(new Publish(1, 1));
            Fold(attackers, state, 2, id: 1);
            Fold(attackers, state, 0, id: 2);
            attackers.Publish(state);
            state.Publish(new Publish(2, 2));
            Assert.Equal([0.0, 0.0], state.LastPseudoGradient.ToArray());
        }

        private static double[] Sum(AttackOptions options, params int[] arrivals)
        {
            var (attackers, state) = (new Attackers<double>(options), State());
            for (var i = 0; i < arrivals.Length; i++)
            {
                Fold(attackers, state, arrivals[i], i);
            }

            attackers.Publish(state);
            state.Publish(new Publish(1, arrivals.Length));
            return state.LastPseudoGradient.ToArray();
        }

        private static ModelState<double> State() => new(
            new double[2],
            new WeightedMean<double>(2, new WeightedMeanOptions { Normalisation = Normalisation.None }),
            new Federated.Aggregation.ServerOptimizers.Sgd<double>(new()));

        private static void Fold(Attackers<double> attackers, ModelState<double> state, int client, int id) => attackers.Accumulate(
            state,
            new Coordinator.Runs.Accumulate(
                new Assignment(new AssignmentId(id), new ClientId(client), 0, LocalWork.OfSteps(1), 0, double.PositiveInfinity),
                new UpdateReport { Examples = 1, LocalSteps = 1 }, 1, 0, DeltaBasis.BaseVersion),
            Updates[client], new double[2], null);
    }

    public sealed class TrainingSets
    {
        private static readonly DataSet Train = new("four", new float[4], [0, 1, 2, 2], [1], 3);

        [Fact]
        public void Mirrors_the_labels_of_attackers_alone_under_label_flip()
        {
            var sets = Attackers<float>.TrainingSets(new LabelFlipAttack { Attackers = 2 }, Train);
            Assert.Equal([2, 1, 0, 0], sets(1).Labels);
            Assert.Same(Train, sets(2));
        }

        [Fact]
        public void Are_the_true_one_for_everyone_under_other_attacks() =>
            Assert.Same(Train, Attackers<float>.TrainingSets(new SignFlipAttack(), Train)(0));
    }
}
