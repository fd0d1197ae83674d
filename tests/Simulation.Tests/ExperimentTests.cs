using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.Robust;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Configuration;
using Federated.Simulation.Devices;
using Federated.Simulation.Tests.Engine;
using Federated.Training.Data;
using Federated.Training.Data.Generators;
using Federated.Training.Data.Partitioning;
using Federated.Training.LocalObjectives;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Simulation.Tests;

public static class ExperimentTests
{
    private static readonly ExperimentConfiguration Digits = new()
    {
        Name = "digits",
        Seed = 5,
        Threads = 1,
        Data = new DataOptions { Source = new DrawnDigitsOptions { Writers = 20, TrainPerWriter = 60, TestPerWriter = 10, Size = 16 }, Partition = new IidPartition { Clients = 20 } },
        Model = new SoftmaxRegressionOptions(),
        Training = new LocalTraining { Epochs = 1, BatchSize = 10, Optimizer = new SgdOptions { LearningRate = 0.05 } },
        Strategy = new StrategyOptions { Scheduler = new SynchronousOptions { Cohort = 5 } },
        Run = new RunOptions { EvaluateEvery = 5, Stop = new StopOptions { Versions = 10 } },
    };

    private static readonly ExperimentConfiguration Timeline = new()
    {
        Training = new NoTraining(),
        Run = new RunOptions { Stop = new StopOptions { Versions = 10 } },
        Clients = new ClientsOptions { Count = 16 },
    };

    public sealed class Run
    {
        [Fact]
        public void Gives_the_same_model_on_any_number_of_threads_and_another_for_another_seed()
        {
            var digest = Digest(Digits);
            Assert.Matches("^[0-9a-f]{64}$", digest);
            Assert.Equal(digest, Digest(Digits));
            Assert.Equal(digest, Digest(Digits with { Threads = 2 }));
            Assert.Equal(digest, Digest(Digits with { Threads = 4 }));
            Assert.NotEqual(digest, Digest(Digits with { Seed = 6 }));
        }

        [Fact]
        public void Learns_in_either_precision()
        {
            var single = Start(Digits).Summary;
            var exact = Start(Digits with { Precision = NumberFormat.Float64 }).Summary;
            Assert.InRange(single.FinalAccuracy, 0.4, 1);
            Assert.InRange(Math.Abs(single.FinalAccuracy - exact.FinalAccuracy), 0, 0.05);
        }

        [Fact]
        public void Adds_up()
        {
            var recorder = new Recorder();
            var summary = ExperimentRunner.Run(Digits, ".", recorder, TimeProvider.System, CancellationToken.None).Summary;
            Assert.Equal(("digits", 5UL, "synchronous × mean × sgd × none", 20, 10), (summary.Run, summary.Seed, summary.Strategy, summary.Clients, summary.Versions));
            Assert.Equal(50, summary.ClientUpdates);
            Assert.Equal(summary.Dispatched, summary.Accepted + summary.Rejected + summary.Lost);
            Assert.Equal([0, 5, 10], recorder.Evaluations.Select(e => e.Version));
            Assert.Equal(summary.FinalAccuracy, recorder.Evaluations[^1].Accuracy);
            Assert.Equal("versions", summary.FinishReason);
        }

        [Fact]
        public void Without_training_has_no_model()
        {
            var result = Start(Timeline);
            Assert.Null(result.Model);
            Assert.Equal(10, result.Summary.Versions);
            Assert.Equal("synchronous", result.Summary.Strategy);
        }

        [Fact]
        public void Trains_the_baselines_that_are_asked_for()
        {
            var baselines = Start(Digits with { Baselines = [Baseline.Local, Baseline.Pooled] }).Summary.Baselines;
            Assert.Equal(21, baselines.Count);
            var pooled = Assert.Single(baselines, b => b.Kind == "pooled");
            Assert.Equal(baselines.Where(b => b.Kind == "local").Sum(b => b.Steps), pooled.Steps);
            Assert.True(pooled.Accuracy > baselines.Where(b => b.Kind == "local").Average(b => b.Accuracy));
        }

        private static ExperimentResult Start(ExperimentConfiguration configuration) =>
            ExperimentRunner.Run(configuration, ".", null, TimeProvider.System, CancellationToken.None);

        private static string Digest(ExperimentConfiguration configuration) => Start(configuration).Summary.ModelSha256;
    }

    public sealed class Prepare
    {
        private static readonly StrategyOptions Shifted = Digits.Strategy with
        {
            ExampleWeight = new EqualExampleWeight(),
            Aggregator = new ShiftedMeanOptions { Clients = 20 },
            Compression = new CompressionOptions { Codec = new TopKOptions { Ratio = 0.1 }, Feedback = new Ef21Options() },
        };

        [Theory]
        [InlineData("strategy.scheduler={kind: compass, cohort: 5}", "cohort")]
        [InlineData("strategy.scheduler={kind: anarchic, concurrency: 5}", "concurrency")]
        [InlineData("strategy.aggregator={kind: median, byzantine: 5}", "byzantine")]
        public void Refuses_a_setting_of_another_kind_and_says_whose_it_is(string set, string key)
        {
            var error = Assert.Single(ConfigurationFile.Read<ExperimentConfiguration>("run: {stop: {versions: 1}}", "f.yaml", set).Errors).ToString();
            Assert.Contains($"'{key}'", error, StringComparison.Ordinal);
            Assert.Contains("kind", error, StringComparison.Ordinal);
        }

        [Fact]
        public void Takes_a_shifted_mean_of_all_clients_under_EF21() => Experiment.Prepare(Digits with { Strategy = Shifted }, ".");

        public static TheoryData<ExperimentConfiguration, string> Refused => new()
        {
            { Timeline with { Clients = new ClientsOptions() }, "at least one client" },
            { Timeline with { Model = new SoftmaxRegressionOptions() }, "training: none computes nothing" },
            { Timeline with { Run = new RunOptions { Stop = new StopOptions() } }, "an end" },
            { Timeline with { Run = new RunOptions { Seed = 9, Stop = new StopOptions { Versions = 1 } } }, "one seed" },
            { Timeline with { Run = new RunOptions { Stop = new StopOptions { Versions = 1, TargetAccuracy = 0.9 } }, Data = Digits.Data, Clients = new() }, "evaluations" },
            { Timeline with { Strategy = new StrategyOptions { Scheduler = new SynchronousOptions { Cohort = 17 } } }, "there are 16" },
            { Timeline with { Strategy = new StrategyOptions { Scheduler = new SynchronousOptions { Cohort = 16, OverSelection = 0.3 } } }, "invites 21 clients" },
            { Timeline with { Strategy = new StrategyOptions { Scheduler = new BufferedOptions { Concurrency = 5, AggregationGoal = 6 } } }, "above the concurrency" },
            { Timeline with { Clients = new ClientsOptions { Count = 16, Connectivity = new InstantConnectivity { Dropout = 0.1, WhenDroppingOut = DroppingOut.Vanish } } }, "clientTimeout" },
            { Digits with { Data = null }, "no data section" },
            { Digits with { Model = null }, "no model section" },
            { Digits with { Clients = new ClientsOptions { Count = 21 } }, "split over 20 clients" },
            { Digits with { Training = new LocalTraining { Schedule = new CosineRate() }, Run = new RunOptions { Stop = new StopOptions { Seconds = 9 } } }, "cosine" },
            { Digits with { Strategy = Digits.Strategy with { Objective = new FedDynOptions() } }, "unweighted mean" },
            { Digits with { Strategy = Digits.Strategy with { Objective = new ScaffoldOptions(), Aggregator = new FedNovaOptions() } }, "SCAFFOLD" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new PoissonOptions(), Objective = new ScaffoldOptions() } }, "differ in size" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new ImmediateOptions() } }, "normalisation: none" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new CompassOptions() } }, "normalisation: none" },
            { Digits with { Strategy = Digits.Strategy with { CorrectParticipation = true } }, "correctParticipation" },
            { Digits with { Strategy = Digits.Strategy with { Aggregator = new ShiftedMeanOptions { Clients = 20 } } }, "clients send updates" },
            { Digits with { Strategy = Shifted with { Aggregator = new WeightedMeanOptions() } }, "clients: 20" },
            { Digits with { Strategy = Shifted with { Aggregator = new ShiftedMeanOptions { Clients = 5 } } }, "there are 20" },
            { Digits with { Strategy = Shifted with { ExampleWeight = new LinearExampleWeight() } }, "weight 1" },
            { Digits with { Strategy = Shifted with { StalenessWeight = new PolynomialStaleness() } }, "weight 1" },
            { Digits with { Strategy = Digits.Strategy with { Aggregator = new KrumOptions { Byzantine = 2 } } }, "at least 7 updates" },
            { Digits with { Strategy = Digits.Strategy with { Aggregator = new BulyanOptions { Byzantine = 1 } } }, "at least 7 updates" },
            { Digits with { Strategy = Digits.Strategy with { Aggregator = new TrimmedMeanOptions(), Scheduler = new FixedWindowOptions() } }, "fixed-window scheduler may publish with one" },
            { Digits with { Strategy = Digits.Strategy with { Aggregator = new FedNovaOptions(), Compression = new CompressionOptions { Codec = new TopKOptions(), Feedback = new Ef21Options() } } }, "ef21" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new AnarchicOptions(), StepPolicy = new DynamicLocalUpdatesOptions() } }, "step policy" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new AnarchicOptions(), Aggregator = new AnarchicMemoryOptions { Clients = 5 } } }, "there are 20" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new BufferedOptions(), Objective = new FedSpeedOptions() } }, "trained from one version" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new CompassOptions(), StepPolicy = new DynamicLocalUpdatesOptions(), Aggregator = new WeightedMeanOptions { Normalisation = Normalisation.None } } }, "step policy" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new CompassOptions(), Aggregator = new MedianOptions() } }, "robust aggregator would undo" },
            { Timeline with { Strategy = Timeline.Strategy with { Scheduler = new SynchronousOptions { Cohort = 4 }, StepPolicy = new QuadraticSynchronizationOptions() } }, "training: none" },
            { Digits with { Strategy = Digits.Strategy with { Scheduler = new AnarchicOptions { InitialClients = 21 } } }, "there are 20" },
            { Timeline with { Clients = Timeline.Clients with { Attack = new SignFlipAttack() } }, "nothing to attack" },
            { Digits with { Clients = new ClientsOptions { Attack = new AlieAttack { Attackers = 20 } } }, "at least one must be honest" },
            { Digits with { Strategy = Digits.Strategy with { Objective = new ScaffoldOptions() }, Clients = new ClientsOptions { Attack = new SignFlipAttack() } }, "control variates" },
        };

        [Theory]
        [MemberData(nameof(Refused))]
        public void Refuses_what_cannot_be_run_and_says_what_to_change(ExperimentConfiguration configuration, string sentence)
        {
            var refusal = Assert.Throws<SimulationException>(() => Experiment.Prepare(configuration, "."));
            Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
        }

        [Fact]
        public void Fills_in_the_seed_of_the_run_and_the_number_of_threads()
        {
            var resolved = Experiment.Prepare(Timeline with { Seed = 7, Threads = 0 }, ".").Configuration;
            Assert.Equal((7UL, Environment.ProcessorCount), (resolved.Run.Seed, resolved.Threads));
        }
    }
}
