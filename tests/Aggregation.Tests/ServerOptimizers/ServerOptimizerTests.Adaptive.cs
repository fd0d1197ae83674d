using Federated.Aggregation.Randomness;
using Federated.Aggregation.ServerOptimizers;
using Names = Federated.Aggregation.ServerOptimizers.ServerOptimizers;

namespace Federated.Aggregation.Tests.ServerOptimizers;

/// <content>Adagrad, Adam and Yogi.</content>
public partial class ServerOptimizerTests
{
    public class Adaptive_family
    {
        [Fact]
        public void A_step_is_bounded_by_the_momentum_over_epsilon()
        {
            var random = SeededRandom.Derive(5, "bound");
            AdaptiveOptions[] all = [new AdagradOptions(), new YogiOptions(), new AdamOptions(), new AdamOptions { Epsilon = 0.1 }, new YogiOptions { InitialAccumulator = 0 }];
            foreach (var options in all)
            {
                var optimizer = Names.Create<double>(options, 40);
                var model = new double[40];
                for (var step = 0; step < 30; step++)
                {
                    var before = (double[])model.Clone();
                    optimizer.Step(model, Draw<double>(random, 40).Select(x => x * Math.Pow(10, step % 7 - 4)).ToArray());
                    var momentum = optimizer.State["momentum"].Span;
                    for (var i = 0; i < 40; i++)
                    {
                        Assert.True(Math.Abs(model[i] - before[i]) <= (options.LearningRate * Math.Abs(momentum[i]) / options.Epsilon) + 1e-15);
                    }
                }
            }
        }

        [Fact]
        public void Adam_without_memory_steps_by_the_sign()
        {
            var optimizer = new Adam<double>(new AdamOptions { Beta1 = 0, Beta2 = 0, Epsilon = 1e-12 }, 3);
            var model = new double[3];
            optimizer.Step(model, [5, -0.01, 1e3]);
            Assert.Equal(0.1, model[0], 1e-9);
            Assert.Equal(-0.1, model[1], 1e-9);
            Assert.Equal(0.1, model[2], 1e-9);
        }

        [Fact]
        public void Bias_corrected_Adam_begins_with_a_full_step()
        {
            var optimizer = new Adam<double>(new AdamOptions { BiasCorrection = true, InitialAccumulator = 0, Epsilon = 1e-12 }, 1);
            var model = new double[1];
            optimizer.Step(model, [0.004]);
            Assert.Equal(0.1, model[0], 1e-9);
        }

        [Fact]
        public void Adagrad_never_forgets()
        {
            var random = SeededRandom.Derive(6, "adagrad");
            var optimizer = new Adagrad<double>(new AdagradOptions(), 10);
            var last = optimizer.State["second-moment"].ToArray();
            for (var step = 0; step < 20; step++)
            {
                optimizer.Step(new double[10], Draw<double>(random, 10));
                var now = optimizer.State["second-moment"].ToArray();
                Assert.All(now.Zip(last), pair => Assert.True(pair.First >= pair.Second));
                last = now;
            }
        }

        [Fact]
        public void Yogi_moves_its_second_moment_by_the_same_amount_up_and_down_and_keeps_it_positive()
        {
            var random = SeededRandom.Derive(7, "yogi");
            var optimizer = new Yogi<double>(new YogiOptions(), 10);
            var last = optimizer.State["second-moment"].ToArray();
            for (var step = 0; step < 200; step++)
            {
                var gradient = Draw<double>(random, 10).Select(x => x * (step < 20 ? 1 : 0.05)).ToArray();
                optimizer.Step(new double[10], gradient);
                var now = optimizer.State["second-moment"].ToArray();
                for (var i = 0; i < 10; i++)
                {
                    Assert.Equal(0.01 * gradient[i] * gradient[i], Math.Abs(now[i] - last[i]), 1e-12);
                    Assert.True(now[i] > 0);
                }

                last = now;
            }
        }
    }
}
