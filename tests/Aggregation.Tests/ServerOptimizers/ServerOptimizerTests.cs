using System.Numerics;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.ServerOptimizers;
using Names = Federated.Aggregation.ServerOptimizers.ServerOptimizers;

namespace Federated.Aggregation.Tests.ServerOptimizers;

public class ServerOptimizerTests
{
    public static TheoryData<ServerOptimizerOptions> All =>
    [
        new SgdOptions { LearningRate = 0.3 },
        new MomentumOptions { LearningRate = 0.3, Momentum = 0.8 },
        new NesterovOptions(),
        new DelayedNesterovOptions { Window = 3, Activation = 0.2 },
        new AdagradOptions { Beta1 = 0.5 },
        new AdagradOptions { EpsilonInsideRoot = true, InitialAccumulator = 0 },
        new YogiOptions(),
        new YogiOptions { BiasCorrection = true, InitialAccumulator = 0 },
        new AdamOptions(),
        new AdamOptions { BiasCorrection = true, InitialAccumulator = 0 },
    ];

    private static T[] Draw<T>(SeededRandom random, int length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        [.. Enumerable.Range(0, length).Select(_ => T.CreateTruncating(random.NextNormal()))];

    /// <summary>The paper's formulas, one coordinate at a time: what the vector code is held against.</summary>
    private static (double Model, double First, double Second) Plain(
        ServerOptimizerOptions options, double w, double d, double m, double v, int step)
    {
        switch (options)
        {
            case SgdOptions o:
                return (w + (o.LearningRate * d), m, v);
            case MomentumOptions o:
                m = (o.Momentum * m) + d;
                return (w + (o.LearningRate * m), m, v);
            case NesterovOptions o:
                m = (o.Momentum * m) + d;
                return (w + (o.LearningRate * (d + (o.Momentum * m))), m, v);
            case DelayedNesterovOptions o:
                v += d;
                if (step % o.Window != 0)
                {
                    return (w + (o.LearningRate * ((o.Activation * o.Momentum * m) + (d / o.Window))), m, v);
                }

                m = (o.Momentum * m) + (v / o.Window);
                return (w + (o.LearningRate * (((1 - (o.Activation * o.Window) + o.Activation) * o.Momentum * m) + (d / o.Window))), m, 0);
            case AdagradOptions o:
                m = (o.Beta1 * m) + ((1 - o.Beta1) * d);
                v += d * d;
                return (w + (o.LearningRate * m / (o.EpsilonInsideRoot ? Math.Sqrt(v + o.Epsilon) : Math.Sqrt(v) + o.Epsilon)), m, v);
            case YogiOptions o:
                m = (o.Beta1 * m) + ((1 - o.Beta1) * d);
                v -= (1 - o.Beta2) * d * d * Math.Sign(v - (d * d));
                return (w + (o.LearningRate * Corrected(m, o.Beta1, o.BiasCorrection) / (Math.Sqrt(Corrected(v, o.Beta2, o.BiasCorrection)) + o.Epsilon)), m, v);
            case AdamOptions o:
                m = (o.Beta1 * m) + ((1 - o.Beta1) * d);
                v = (o.Beta2 * v) + ((1 - o.Beta2) * d * d);
                return (w + (o.LearningRate * Corrected(m, o.Beta1, o.BiasCorrection) / (Math.Sqrt(Corrected(v, o.Beta2, o.BiasCorrection)) + o.Epsilon)), m, v);
            default:
                throw new ArgumentOutOfRangeException(nameof(options));
        }

        double Corrected(double moment, double beta, bool isCorrected) => isCorrected ? moment / (1 - Math.Pow(beta, step)) : moment;
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_coordinate_follows_the_formula(ServerOptimizerOptions options)
    {
        const int dimension = 37;
        var random = SeededRandom.Derive(1, "formula");
        var optimizer = Names.Create<double>(options, dimension);
        var model = Draw<double>(random, dimension);
        var (expected, m, v) = ((double[])model.Clone(), new double[dimension], new double[dimension]);
        if (options is AdaptiveOptions adaptive)
        {
            Array.Fill(v, adaptive.InitialAccumulator ?? (adaptive.Epsilon * adaptive.Epsilon));
        }

        for (var step = 1; step <= 10; step++)
        {
            var gradient = Draw<double>(random, dimension);
            optimizer.Step(model, gradient);
            for (var i = 0; i < dimension; i++)
            {
                (expected[i], m[i], v[i]) = Plain(options, expected[i], gradient[i], m[i], v[i], step);
                Assert.Equal(expected[i], model[i], 1e-12);
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_coordinate_does_not_feel_where_it_stands(ServerOptimizerOptions options)
    {
        // Alone, in the padded tail, and in the middle of a vector: the same bits.
        const int dimension = 67;
        var random = SeededRandom.Derive(2, "place");
        var together = Names.Create<float>(options, dimension);
        var alone = Enumerable.Range(0, dimension).Select(_ => Names.Create<float>(options, 1)).ToArray();
        var model = Draw<float>(random, dimension);
        var singles = model.Select(x => new[] { x }).ToArray();
        for (var step = 0; step < 5; step++)
        {
            var gradient = Draw<float>(random, dimension);
            together.Step(model, gradient);
            for (var i = 0; i < dimension; i++)
            {
                alone[i].Step(singles[i], [gradient[i]]);
                Assert.Equal(singles[i][0], model[i]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_checkpoint_in_the_middle_changes_no_bit(ServerOptimizerOptions options)
    {
        const int dimension = 50;
        var random = SeededRandom.Derive(3, "checkpoint");
        var optimizer = Names.Create<float>(options, dimension);
        var model = Draw<float>(random, dimension);
        for (var step = 0; step < 4; step++)
        {
            optimizer.Step(model, Draw<float>(random, dimension));
        }

        var restored = Names.Create<float>(options, dimension);
        Assert.Equal(optimizer.State.Keys, restored.State.Keys);
        foreach (var (name, values) in optimizer.State)
        {
            values.CopyTo(restored.State[name]);
        }

        var copy = (float[])model.Clone();
        for (var step = 0; step < 4; step++)
        {
            var gradient = Draw<float>(random, dimension);
            optimizer.Step(model, gradient);
            restored.Step(copy, gradient);
            Assert.Equal(model, copy);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void No_pseudo_gradient_is_no_change_while_there_is_no_momentum(ServerOptimizerOptions options)
    {
        var optimizer = Names.Create<double>(options with { }, 5);
        if (options is AdaptiveOptions { InitialAccumulator: 0 })
        {
            return;
        }

        var model = new double[] { 1, 2, 3, 4, 5 };
        for (var step = 0; step < 7; step++)
        {
            optimizer.Step(model, new double[5]);
        }

        Assert.Equal([1, 2, 3, 4, 5], model);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Lengths_must_agree(ServerOptimizerOptions options)
    {
        var optimizer = Names.Create<double>(options, 3);
        Assert.Throws<ArgumentException>(() => optimizer.Step(new double[3], new double[2]));
        if (options is not SgdOptions)
        {
            Assert.Throws<ArgumentException>(() => optimizer.Step(new double[4], new double[4]));
        }
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    public void A_learning_rate_must_be_positive(double rate)
    {
        ServerOptimizerOptions[] wrong =
        [
            new SgdOptions { LearningRate = rate }, new MomentumOptions { LearningRate = rate }, new NesterovOptions { LearningRate = rate },
            new DelayedNesterovOptions { LearningRate = rate, Window = 1 }, new AdagradOptions { LearningRate = rate },
            new YogiOptions { LearningRate = rate }, new AdamOptions { LearningRate = rate },
        ];
        Assert.All(wrong, options => Assert.Contains("learning rate", Assert.Throws<AggregationException>(() => Names.Create<float>(options, 1)).Message));
    }

    [Fact]
    public void Other_settings_out_of_range_are_refused_with_their_name()
    {
        void Refused(string setting, ServerOptimizerOptions options) =>
            Assert.Contains(setting, Assert.Throws<AggregationException>(() => Names.Create<float>(options, 1)).Message);
        Refused("momentum", new MomentumOptions { Momentum = 1 });
        Refused("momentum", new NesterovOptions { Momentum = -0.1 });
        Refused("window", new DelayedNesterovOptions { Window = 0 });
        Refused("activation", new DelayedNesterovOptions { Window = 4, Activation = 0.26 });
        Refused("epsilon", new AdamOptions { Epsilon = 0 });
        Refused("beta1", new AdamOptions { Beta1 = 1 });
        Refused("beta2", new YogiOptions { Beta2 = 1.5 });
        Refused("initial accumulator", new AdagradOptions { InitialAccumulator = -1 });
    }

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
