using System.Numerics;
using System.Security.Cryptography;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Privacy;
using Federated.Privacy.Statements;
using Federated.Simulation.Devices;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Simulation.Engine;

/// <summary>An experiment that trains.</summary>
internal sealed class TrainedRun<T> : IExperimentRun
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Experiment experiment;
    private readonly LocalTraining training;
    private readonly FederatedData data;
    private readonly Func<ILocalTrainer<T>> createTrainer;
    private readonly IModel<T> model;
    private PrivateRelease<T>? prepared;

    /// <param name="engine">Trains in place of the managed kernels; null for those.</param>
    public TrainedRun(Experiment experiment, LocalTraining training, ModelOptions model, FederatedData data, ITrainerFactory? engine)
    {
        (this.experiment, this.training, this.data) = (experiment, training, data);
        var local = training.With(experiment.Configuration.Strategy.Objective) with { Noise = PrivacyFactory.NoiseOf(experiment.Configuration.Privacy) };
        createTrainer = engine is null
            ? () => new LocalTrainer<T>(ModelFactory.Create<T>(model, data.Train.ExampleShape, data.Train.Classes), local)
            : () => (ILocalTrainer<T>)engine.Create(experiment.Configuration.Trainer, model, data.Train.ExampleShape, data.Train.Classes, local);

        // Whatever cannot be composed is refused here, before anything is written.
        this.model = createTrainer().Model;
        _ = StrategyFactory.CreateScheduler(experiment.Configuration);
        _ = StrategyFactory.CreateAggregator<T>(experiment.Configuration.Strategy, this.model.Layout.Count);
        _ = StrategyFactory.CreateServerOptimizer<T>(experiment.Configuration.Strategy, this.model.Layout.Count);
        _ = UpdateCodecs.CreateEncoder<T>(experiment.Configuration.Strategy.Compression, this.model.Layout.Count);
        prepared = CreatePrivacy();
        PlannedPrivacy = prepared?.Policy.Planned;
        Statement = prepared is null ? null : PrivacyStatement.Of(prepared.Policy, StatementSetting.Simulation);
    }

    public PrivacyGuarantee? PlannedPrivacy { get; }

    public PrivacyStatement? Statement { get; }

    public ExperimentResult Run(Fleet fleet, ISimulationObserver? observer, TimeProvider clock, CancellationToken cancellation)
    {
        var configuration = experiment.Configuration;
        var local = training.With(configuration.Strategy.Objective);
        var d = model.Layout.Count;
        using var privacy = Interlocked.Exchange(ref prepared, null) ?? CreatePrivacy(); // A run spends it: each has its own.
        var state = RunComposition.CreateState(configuration, Initial(), experiment.ClientCount, privacy);
        var machine = new RunMachine(
            configuration.Run, StrategyFactory.CreateScheduler(configuration, observer), PrivacyFactory.CreateLimiter(privacy, configuration, d, experiment.ClientCount));
        var steps = new StepCounter(observer, experiment.ClientCount);
        using var workload = new TrainingWorkload<T>(
            createTrainer, data, local, configuration.Strategy.Compression, state, configuration.Seed, configuration.Run.Stop.Versions, configuration.Threads,
            configuration.Clients.Attack, configuration.Privacy, observer?.WantsMeasures ?? false);
        var outcome = new Simulator(machine, configuration.Run, fleet, workload, configuration.Baselines.Count > 0 ? steps : observer, clock,
            configuration.Strategy.ExampleWeight.Of, StrategyFactory.Normalises(configuration.Strategy)).Run(cancellation);
        var writer = new SafetensorsWriter().Add<T>(
            model.Layout, state.Deployed, typeof(T) == typeof(double) ? ElementType.F64 : ElementType.F32);
        var baselines = new BaselineTraining<T>(createTrainer, data, local, configuration, outcome.Versions);
        var summary = outcome.Summarize(experiment, StrategyFactory.Describe(configuration)) with
        {
            ModelSha256 = HashOf(writer),
            Epsilon = workload.Epsilon,
            Delta = privacy?.Policy.Spent?.Delta ?? privacy?.Policy.Planned?.Delta ?? double.NaN,
            Privacy = privacy is null ? null : PrivacyFactory.Summarize(privacy),
            ClientScores = workload.ScoreClients(state.Deployed),
            Baselines = cancellation.IsCancellationRequested ? [] : baselines.Run(workload, Initial, steps.PerClient, cancellation),
        };
        return new ExperimentResult(summary, writer);
    }

    private PrivateRelease<T>? CreatePrivacy() => PrivacyFactory.Create<T>(experiment.Configuration, model.Layout.Count, experiment.ClientCount);

    private T[] Initial() => RunComposition.Initial(model, experiment.Configuration.Seed);

    private static string HashOf(SafetensorsWriter writer)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            writer.WriteTo(stream);
        }

        return Convert.ToHexStringLower(hash.Hash!);
    }
}
