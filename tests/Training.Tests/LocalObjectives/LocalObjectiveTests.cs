using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Optimizers;

namespace Federated.Training.Tests.LocalObjectives;

public sealed class LocalObjectiveTests
{
    [Fact]
    public void FedProx_with_strength_zero_is_the_plain_objective_to_the_bit()
    {
        var fixture = new ClassificationFixture();
        var plain = fixture.Train(new LocalTrainingOptions { BatchSize = 7 }, steps: 20);
        var prox = fixture.Train(new LocalTrainingOptions { BatchSize = 7, Objective = new FedProxOptions { Mu = 0 } }, steps: 20);
        Assert.Equal(plain.Delta, prox.Delta);
    }

    [Fact]
    public void FedProx_shortens_the_way_the_more_the_stronger_it_pulls()
    {
        var fixture = new ClassificationFixture();
        var last = double.MaxValue;
        foreach (var mu in new[] { 0, 0.1, 1, 5, 15 })
        {
            var options = new LocalTrainingOptions { BatchSize = 0, Objective = new FedProxOptions { Mu = mu } };
            var length = fixture.Train(options, steps: 60).Delta.Sum(x => x * x);
            Assert.True(length < last, $"μ = {mu}: {length} is not below {last}");
            last = length;
        }
    }

    [Fact]
    public void Scaffold_with_equal_controls_is_the_plain_objective()
    {
        var fixture = new ClassificationFixture();
        var plain = fixture.Train(new LocalTrainingOptions { BatchSize = 7 }, steps: 10);
        var control = new double[fixture.Parameters];
        Array.Fill(control, 0.3);
        var exchange = LocalExchange<double>.For(
            [Scaffold<double>.ControlDelta],
            [Scaffold<double>.ClientControl],
            control.Length,
            new Dictionary<string, ReadOnlyMemory<double>> { [Scaffold<double>.ServerControl] = control },
            new Dictionary<string, ReadOnlyMemory<double>> { [Scaffold<double>.ClientControl] = control });
        var scaffold = fixture.Train(new LocalTrainingOptions { BatchSize = 7, Objective = new ScaffoldOptions() }, 10, exchange);
        Assert.Equal(plain.Delta, scaffold.Delta);

        // c_i⁺ − c_i = −c − u/(K·η), and the state that was handed in is untouched until the server accepts.
        var up = exchange.ToServer[Scaffold<double>.ControlDelta].Span;
        for (var i = 0; i < up.Length; i++)
        {
            Assert.Equal(-0.3 - (scaffold.Delta[i] / (10 * 0.1)), up[i], 12);
        }

        Assert.All(control, c => Assert.Equal(0.3, c));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Scaffold_refuses_optimizers_whose_displacement_is_no_mean_gradient(bool adam)
    {
        LocalOptimizerOptions optimizer = adam ? new AdamOptions() : new SgdOptions { Momentum = 0.9 };
        var error = Assert.Throws<TrainingException>(
            () => new LocalTrainer<double>(new QuadraticModel(), new LocalTrainingOptions { Optimizer = optimizer, Objective = new ScaffoldOptions() }));
        Assert.Contains("momentum 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_server_tensor_is_named()
    {
        var fixture = new ClassificationFixture();
        var error = Assert.Throws<TrainingException>(
            () => fixture.Train(new LocalTrainingOptions { Objective = new ScaffoldOptions() }, 1));
        Assert.Contains(Scaffold<double>.ServerControl, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fedprox")]
    [InlineData("feddyn")]
    public void The_fused_path_agrees_with_gradient_and_step(string kind)
    {
        LocalObjectiveOptions objective = kind == "fedprox" ? new FedProxOptions { Mu = 0.5 } : new FedDynOptions { Alpha = 0.3 };
        var optimizer = new SgdOptions { LearningRate = 0.05, WeightDecay = 0.01 };
        var fixture = new ClassificationFixture();

        // A clip norm that never binds forces the general path.
        var fused = fixture.Train(new LocalTrainingOptions { BatchSize = 7, Objective = objective, Optimizer = optimizer }, 25);
        var general = fixture.Train(
            new LocalTrainingOptions { BatchSize = 7, Objective = objective, Optimizer = optimizer with { ClipNorm = 1e9 } }, 25);
        for (var i = 0; i < fused.Delta.Length; i++)
        {
            Assert.Equal(general.Delta[i], fused.Delta[i], 12);
        }

        Assert.Equal(general.Result.MeanLoss, fused.Result.MeanLoss, 12);
        Assert.Equal(general.Result.StepWeight, fused.Result.StepWeight, 12);
    }
}
