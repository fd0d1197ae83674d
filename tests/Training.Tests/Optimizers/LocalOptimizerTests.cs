using Federated.Training.Optimizers;

namespace Federated.Training.Tests.Optimizers;

/// <summary>Three steps from (1, −2, 0.5) on given gradients; the expected values are PyTorch 1.13's torch.optim in float64.</summary>
public sealed class LocalOptimizerTests
{
    private static readonly double[][] Gradients = [[0.5, -1.0, 2.0], [-0.3, 0.7, 1.0], [0.9, 0.1, -0.4]];

    [Fact]
    public void Sgd_with_weight_decay() =>
        Check(new SgdOptions { LearningRate = 0.1, WeightDecay = 0.01 }, [0.887072949, -1.9741358980000001, 0.2390012995]);

    [Fact]
    public void Sgd_with_momentum_and_weight_decay() => Check(
        new SgdOptions { LearningRate = 0.1, Momentum = 0.9, WeightDecay = 0.01 }, [0.826054749, -1.861099498, -0.19394280050000012]);

    [Fact]
    public void Sgd_with_Nesterov_momentum() =>
        Check(new SgdOptions { LearningRate = 0.1, Momentum = 0.9, Nesterov = true }, [0.73835, -1.8648, -0.3828000000000001]);

    [Fact]
    public void Adam_with_weight_decay_in_the_gradient() => Check(
        new AdamOptions { LearningRate = 0.01, WeightDecay = 0.1, DecoupledWeightDecay = false },
        [0.9789650115762178, -1.983646617720019, 0.47446176773666526]);

    [Fact]
    public void Adam_with_decoupled_weight_decay() =>
        Check(new AdamOptions { LearningRate = 0.01, WeightDecay = 0.1 }, [0.9789428810670017, -1.9823899392214943, 0.4732419046978441]);

    [Fact]
    public void Nesterov_without_momentum_is_refused() =>
        Assert.Throws<TrainingException>(() => LocalOptimizers.Create<double>(new SgdOptions { Nesterov = true }, 3));

    private static void Check(LocalOptimizerOptions options, double[] expected)
    {
        // 19 copies of the three coordinates: whole registers and a rest.
        const int Copies = 19;
        var optimizer = LocalOptimizers.Create<double>(options, 3 * Copies);
        for (var run = 0; run < 2; run++)
        {
            var w = Repeat([1.0, -2.0, 0.5], Copies);
            optimizer.Reset();
            foreach (var gradient in Gradients)
            {
                optimizer.Step(w, Repeat(gradient, Copies), options.LearningRate);
            }

            for (var i = 0; i < w.Length; i++)
            {
                Assert.Equal(expected[i % 3], w[i], 1e-12);
            }
        }
    }

    private static double[] Repeat(double[] values, int copies) => [.. Enumerable.Range(0, copies).SelectMany(_ => values)];
}
