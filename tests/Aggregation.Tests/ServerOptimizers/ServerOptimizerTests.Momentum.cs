using Federated.Aggregation.Randomness;
using Federated.Aggregation.ServerOptimizers;
using Names = Federated.Aggregation.ServerOptimizers.ServerOptimizers;

namespace Federated.Aggregation.Tests.ServerOptimizers;

/// <content>Momentum and Nesterov.</content>
public partial class ServerOptimizerTests
{
    public class Momentum_family
    {
        [Fact]
        public void Momentum_zero_is_sgd()
        {
            var random = SeededRandom.Derive(4, "zero");
            var sgd = new Sgd<float>(new SgdOptions { LearningRate = 0.7 });
            var others = new[] { Names.Create<float>(new MomentumOptions { LearningRate = 0.7, Momentum = 0 }, 20), new Nesterov<float>(new NesterovOptions { Momentum = 0 }, 20) };
            foreach (var other in others)
            {
                var (a, b) = (new float[20], new float[20]);
                for (var step = 0; step < 5; step++)
                {
                    var gradient = Draw<float>(random, 20);
                    sgd.Step(a, gradient);
                    other.Step(b, gradient);
                    Assert.Equal(a, b);
                }
            }
        }

        [Fact]
        public void After_the_gradients_stop_the_model_coasts_by_the_geometric_series()
        {
            var optimizer = new Momentum<double>(new MomentumOptions { LearningRate = 0.5, Momentum = 0.9 }, 1);
            var model = new double[1];
            optimizer.Step(model, [2]);
            for (var step = 1; step <= 30; step++)
            {
                optimizer.Step(model, [0]);
                Assert.Equal(0.5 * 2 * (1 - Math.Pow(0.9, step + 1)) / 0.1, model[0], 1e-12);
            }
        }

        [Fact]
        public void A_window_of_equal_gradients_moves_by_one_Nesterov_step()
        {
            var optimizer = new DelayedNesterov<double>(new DelayedNesterovOptions { LearningRate = 0.5, Window = 5 }, 1);
            var model = new double[1];
            for (var i = 0; i < 5; i++)
            {
                optimizer.Step(model, [0.3]);
            }

            Assert.Equal(0.5 * 1.9 * 0.3, model[0], 1e-12);
        }

        [Fact]
        public void Activation_only_moves_the_momentum_around_within_a_window()
        {
            // With m the same at both ends of the window its total is ε·β·m whatever c is: D = N·(1 − β)·m keeps m constant.
            double Displacement(double activation)
            {
                var optimizer = new DelayedNesterov<double>(new DelayedNesterovOptions { Window = 4, Activation = activation }, 1);
                optimizer.State["momentum"].Span[0] = 2;
                var model = new double[1];
                for (var i = 0; i < 4; i++)
                {
                    optimizer.Step(model, [2 * (1 - 0.9)]);
                }

                Assert.Equal(2, optimizer.State["momentum"].Span[0], 1e-12);
                return model[0];
            }

            foreach (var c in new[] { 0.05, 0.1, 0.25 })
            {
                Assert.Equal(Displacement(0), Displacement(c), 1e-12);
            }
        }
    }
}
