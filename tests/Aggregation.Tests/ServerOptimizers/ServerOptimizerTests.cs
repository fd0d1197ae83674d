using System.Numerics;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.ServerOptimizers;
using Names = Federated.Aggregation.ServerOptimizers.ServerOptimizers;

namespace Federated.Aggregation.Tests.ServerOptimizers;

public partial class ServerOptimizerTests
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
}
