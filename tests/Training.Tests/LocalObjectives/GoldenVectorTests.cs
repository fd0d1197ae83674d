using Federated.Aggregation.ControlVariates;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Optimizers;

namespace Federated.Training.Tests.LocalObjectives;

/// <summary>
/// The scalar fixture of the project's algorithm notes (H1), computed there by an independent implementation in double: two clients
/// F_i(w) = a_i/2·(w − b_i)², a = (1, 3), b = (4, −2), n = (10, 30), w⁰ = 1, full gradient, η = 0.1, K = 3 unless said.
/// </summary>
public sealed class GoldenVectorTests
{
    private static readonly DataSet Clients = QuadraticModel.Data((1, 4), (3, -2));
    private static readonly double[] Share = [0.25, 0.75];

    [Fact]
    public void FedAvg() => Weighted(new PlainObjectiveOptions(), [3, 3], normalised: false, [-0.275, -0.8353625, -1.081641819]);

    [Fact]
    public void FedAvg_with_unequal_steps_heads_past_the_optimum() =>
        Weighted(new PlainObjectiveOptions(), [2, 5], normalised: false, [-0.7293425, -1.297522302, -1.484199196]);

    [Fact]
    public void FedProx() => Weighted(new FedProxOptions { Mu = 1 }, [3, 3], normalised: false, [-0.14, -0.70772, -0.99044456]);

    [Fact]
    public void FedNova() => Weighted(new PlainObjectiveOptions(), [2, 5], normalised: true, [-0.288253625, -0.7632419153, -0.9383734823]);

    [Theory]
    [InlineData(0.1, -1.040659219)]
    [InlineData(0.01, -1.369651971)]
    [InlineData(0.001, -1.397023532)]
    public void FedNova_reaches_the_fixed_point_that_tends_to_the_true_optimum(double rate, double fixedPoint)
    {
        var w = 1.0;
        var trainer = Trainer(new PlainObjectiveOptions(), rate);
        for (var round = 0; round < 100 / (rate * 5); round++)
        {
            w = WeightedRound(trainer, w, [2, 5], normalised: true);
        }

        Assert.Equal(fixedPoint, w, 8);
    }

    [Fact]
    public void Scaffold_with_option_two()
    {
        double[] models = [0.421, -0.009984, -0.2534240173], server = [1.93, 1.436613333, 0.8114667244];
        double[][] clients = [[-2.71, -3.681563333, -4.117109291], [6.57, 6.55479, 5.74004274]];
        var run = new ScaffoldRun(new ScaffoldOptions());
        for (var round = 0; round < 3; round++)
        {
            run.Round();
            Assert.Equal(models[round], run.Model, 1e-9);
            Assert.Equal(server[round], run.Server.Value.Span[0], 1e-9);
            Assert.Equal(clients[0][round], run.Controls[0], 1e-9);
            Assert.Equal(clients[1][round], run.Controls[1], 1e-9);
        }
    }

    [Theory]
    [InlineData(ScaffoldControl.Displacement)]
    [InlineData(ScaffoldControl.FullGradient)]
    public void Scaffold_reaches_the_exact_uniform_optimum_and_its_control_stays_the_clients_mean(ScaffoldControl control)
    {
        var run = new ScaffoldRun(new ScaffoldOptions { Control = control });
        for (var round = 0; round < 300; round++)
        {
            run.Round();
            Assert.Equal(run.Controls.Average(), run.Server.Value.Span[0], 1e-9);
        }

        Assert.Equal(-0.5, run.Model, 1e-9);
    }

    [Fact]
    public void Scaffold_with_option_one_keeps_the_gradients_at_the_model_that_was_sent()
    {
        var run = new ScaffoldRun(new ScaffoldOptions { Control = ScaffoldControl.FullGradient });
        run.Round();

        // ∇F_1(1) = 1·(1 − 4), ∇F_2(1) = 3·(1 + 2).
        Assert.Equal(-3.0, run.Controls[0], 1e-12);
        Assert.Equal(9.0, run.Controls[1], 1e-12);
    }

    [Fact]
    public void FedDyn()
    {
        double[] models = [-0.0935, -0.6785433125, -0.7883567283];
        double[][] drifts = [[0.77175, 1.725536531, 2.707144662], [-1.86525, -2.857329844, -3.382854734]];
        var run = new DriftRun(new FedDynOptions { Alpha = 0.5 }, LocalTraining.FedDynState, steps: 3);
        for (var round = 0; round < 3; round++)
        {
            run.Round();
            Assert.Equal(models[round], run.Model[0], 1e-9);
            Assert.Equal(drifts[0][round], run.Drifts[0], 1e-9);
            Assert.Equal(drifts[1][round], run.Drifts[1], 1e-9);
        }
    }

    [Fact]
    public void FedDyn_with_exact_local_solves_reaches_the_uniform_optimum_with_drifts_that_cancel()
    {
        var run = new DriftRun(new FedDynOptions { Alpha = 0.5 }, LocalTraining.FedDynState, steps: 300);
        for (var round = 0; round < 400; round++)
        {
            run.Round();
            Assert.Equal((run.Drifts[0] + run.Drifts[1]) / 2, run.Server.Value.Span[0], 1e-9);
        }

        Assert.Equal(-0.5, run.Model[0], 1e-9);
        Assert.Equal(0, run.Drifts[0] + run.Drifts[1], 1e-9);

        // At a fixed point ∇F_i(w) = −α·h_i.
        Assert.Equal(1 * (-0.5 - 4), -0.5 * run.Drifts[0], 1e-8);
    }

    [Fact]
    public void FedSpeed_without_the_uphill_step_is_FedDyn()
    {
        var dyn = new DriftRun(new FedDynOptions { Alpha = 0.5 }, LocalTraining.FedDynState, steps: 3);
        var flat = new DriftRun(new FedSpeedOptions { Lambda = 0.5, Rho = 0 }, LocalTraining.FedSpeedState, steps: 3);
        var unmixed = new DriftRun(new FedSpeedOptions { Lambda = 0.5, Mix = 0 }, LocalTraining.FedSpeedState, steps: 3);
        for (var round = 0; round < 5; round++)
        {
            dyn.Round();
            flat.Round();
            unmixed.Round();
            Assert.Equal(dyn.Model[0], flat.Model[0]);
            Assert.Equal(dyn.Model[0], unmixed.Model[0]);
        }
    }

    [Fact]
    public void FedSpeed_takes_its_second_gradient_a_step_of_rho_uphill()
    {
        // One step of client 0 from w = 1: g₁ = −3, y + ρ·g₁/|g₁| = 1 − ρ, g₂ = −3 − ρ; G = (1−α)·g₁ + α·g₂ = −3 − α·ρ.
        var model = new QuadraticModel();
        var trainer = new LocalTrainer<double>(model, Options(new FedSpeedOptions { Rho = 0.2, Mix = 0.25 }, 0.1));
        var delta = new double[1];
        trainer.Train(
            new LocalTask<double>
            {
                Start = [1.0], Data = Clients, Examples = [0], Steps = 1, Seed = 1,
                Exchange = LocalExchange<double>.For(trainer.Objective.ClientTensors, trainer.Objective.ClientState, 1),
            },
            delta);
        Assert.Equal(0.1 * (3 + (0.25 * 0.2)), delta[0], 1e-7);
        Assert.Equal(2, model.Gradients);
    }

    private static void Weighted(LocalObjectiveOptions objective, int[] steps, bool normalised, double[] expected)
    {
        var trainer = Trainer(objective, 0.1);
        var w = 1.0;
        foreach (var value in expected)
        {
            w = WeightedRound(trainer, w, steps, normalised);
            Assert.Equal(value, w, 1e-9);
        }
    }

    /// <summary>Σ p_i u_i, or FedNova's τ_eff·Σ p_i u_i/‖a_i‖₁ with τ_eff = Σ p_i ‖a_i‖₁.</summary>
    private static double WeightedRound(LocalTrainer<double> trainer, double w, int[] steps, bool normalised)
    {
        var delta = new double[1];
        var (sum, effective) = (0.0, 0.0);
        for (var i = 0; i < 2; i++)
        {
            var result = trainer.Train(new LocalTask<double> { Start = [w], Data = Clients, Examples = [i], Steps = steps[i], Seed = 1 }, delta);
            sum += Share[i] * delta[0] / (normalised ? result.StepWeight : 1);
            effective += Share[i] * result.StepWeight;
        }

        return w + (sum * (normalised ? effective : 1));
    }

    private static LocalTrainer<double> Trainer(LocalObjectiveOptions objective, double rate) => new(new QuadraticModel(), Options(objective, rate));

    private static LocalTrainingOptions Options(LocalObjectiveOptions objective, double rate) => new()
    {
        BatchSize = 0,
        Optimizer = new SgdOptions { LearningRate = rate },
        Objective = objective,
    };

    private static class LocalTraining
    {
        public const string FedDynState = FedDyn<double>.ClientDrift;
        public const string FedSpeedState = FedSpeed<double>.ClientDrift;
    }

    private sealed class ScaffoldRun(ScaffoldOptions options)
    {
        private readonly LocalTrainer<double> trainer = Trainer(options, 0.1);
        private readonly double[][] controls = [[0.0], [0.0]];

        public double Model { get; private set; } = 1.0;

        public ServerControl<double> Server { get; } = new(1, 2);

        public double[] Controls => [controls[0][0], controls[1][0]];

        public void Round()
        {
            double update = 0, change = 0;
            for (var i = 0; i < 2; i++)
            {
                var exchange = LocalExchange<double>.For(
                    trainer.Objective.ClientTensors,
                    trainer.Objective.ClientState,
                    1,
                    new Dictionary<string, ReadOnlyMemory<double>> { [Scaffold<double>.ServerControl] = Server.Value },
                    new Dictionary<string, ReadOnlyMemory<double>> { [Scaffold<double>.ClientControl] = controls[i] });
                var delta = new double[1];
                trainer.Train(new LocalTask<double> { Start = [Model], Data = Clients, Examples = [i], Steps = 3, Seed = 1, Exchange = exchange }, delta);
                update += delta[0] / 2;
                change += exchange.ToServer[Scaffold<double>.ControlDelta].Span[0] / 2;
                controls[i] = exchange.PendingState[Scaffold<double>.ClientControl].ToArray();
            }

            Model += update;
            Server.Apply([change], 2);
        }
    }

    private sealed class DriftRun(LocalObjectiveOptions options, string state, int steps)
    {
        private readonly LocalTrainer<double> trainer = Trainer(options, 0.1);
        private readonly double[]?[] drifts = new double[2][];

        public double[] Model { get; } = [1.0];

        public ServerDrift<double> Server { get; } = new(1, 2);

        public double[] Drifts => [drifts[0]![0], drifts[1]![0]];

        public void Round()
        {
            var update = 0.0;
            for (var i = 0; i < 2; i++)
            {
                // A client's first assignment comes without any state: that means zeros.
                var known = new Dictionary<string, ReadOnlyMemory<double>>();
                if (drifts[i] is { } drift)
                {
                    known[state] = drift;
                }

                var exchange = LocalExchange<double>.For(trainer.Objective.ClientTensors, trainer.Objective.ClientState, 1, state: known);
                var delta = new double[1];
                trainer.Train(new LocalTask<double> { Start = Model, Data = Clients, Examples = [i], Steps = steps, Seed = 1, Exchange = exchange }, delta);
                update += delta[0] / 2;
                drifts[i] = exchange.PendingState[state].ToArray();
            }

            Server.Step(Model, [update], 2);
        }
    }
}
