using Federated.Aggregation.Averaging;
using Federated.Aggregation.ServerOptimizers;
using static Federated.Aggregation.Tests.ScalarFixture;

namespace Federated.Aggregation.Tests.ServerOptimizers;

/// <summary>algorithms.md §H1: the model after rounds 1, 2 and 3, and the Delayed Nesterov row.</summary>
public class ServerOptimizerGoldenTests
{
    [Fact]
    public void FedAvg() => Rounds(new SgdOptions(), -0.275, -0.8353625, -1.081641819);

    [Fact]
    public void FedAvgM() => Rounds(new MomentumOptions(), -0.275, -1.9828625, -3.123044319);

    [Fact]
    public void FedAdagrad() => Rounds(new AdagradOptions(), 0.9000784006, 0.8310122152, 0.7754280155);

    [Fact]
    public void FedYogi() => Rounds(new YogiOptions(), 0.900781238, 0.76738022, 0.6123990052);

    [Fact]
    public void FedAdam() => Rounds(new AdamOptions(), 0.9007812078, 0.767032398, 0.611222468);

    [Theory]
    [InlineData(4, 0.0, new[] { -0.025, -0.05, -0.075, -0.19, -0.215, -0.24, -0.265, -0.461 })]
    [InlineData(4, 0.1, new[] { -0.025, -0.05, -0.075, -0.163, -0.197, -0.231, -0.265, -0.4097 })]
    [InlineData(1, 0.0, new[] { -0.19, -0.461, -0.8049 })]
    public void Delayed_Nesterov(int window, double activation, double[] expected)
    {
        var optimizer = new DelayedNesterov<double>(new DelayedNesterovOptions { LearningRate = 0.5, Window = window, Activation = activation }, 1);
        var model = new double[1];
        foreach (var value in expected)
        {
            optimizer.Step(model, [-0.2]);
            Near(value, model[0]);
        }
    }

    [Fact]
    public void Nesterov_is_Delayed_Nesterov_with_a_window_of_one()
    {
        var optimizer = new Nesterov<double>(new NesterovOptions { LearningRate = 0.5 }, 1);
        var model = new double[1];
        foreach (var value in new[] { -0.19, -0.461, -0.8049 })
        {
            optimizer.Step(model, [-0.2]);
            Near(value, model[0]);
        }
    }

    private static void Rounds(ServerOptimizerOptions options, params double[] expected)
    {
        var optimizer = Federated.Aggregation.ServerOptimizers.ServerOptimizers.Create<double>(options, 1);
        var aggregator = new WeightedMean<double>(1);
        var (model, gradient) = (new[] { Start }, new double[1]);
        foreach (var value in expected)
        {
            for (var client = 0; client < 2; client++)
            {
                aggregator.Add(Contribution(client, [Delta(client, model[0])], Examples[client]));
            }

            aggregator.Combine(gradient);
            optimizer.Step(model, gradient);
            Near(value, model[0]);
        }
    }
}
