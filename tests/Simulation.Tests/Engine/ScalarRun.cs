using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using ClientSgd = Federated.Training.Optimizers.SgdOptions;

namespace Federated.Simulation.Tests.Engine;

/// <summary>
/// A run on the scalar fixture through the whole path: devices, simulator, run machine, training pool, aggregator, server optimizer. In
/// double.
/// </summary>
internal sealed record ScalarRun(StrategyOptions Strategy, ClientsOptions Clients, int Versions)
{
    public static LocalTraining ThreeFullSteps { get; } = new() { Steps = 3, BatchSize = 0, Optimizer = new ClientSgd { LearningRate = 0.1 } };

    public LocalTraining Training { get; init; } = ThreeFullSteps;

    public FederatedData Data { get; init; } = Quadratics.Data;

    public Func<IModel<double>> Model { get; init; } = () => new Quadratics();

    public double Start { get; init; } = 1;

    public RunOptions Run { get; init; } = new();

    /// <summary>Stands between the simulator and the workload.</summary>
    public Func<IWorkload, IWorkload> Between { get; init; } = static workload => workload;

    /// <summary>Called with every version that is published.</summary>
    public Action<ModelState<double>, TrainingWorkload<double>> Look { get; init; } = static (_, _) => { };

    /// <summary>Devices with a row of durations (seconds per task) each, the last repeating.</summary>
    public static ClientsOptions Table(params double[][] rows) => new()
    {
        Count = rows.Length,
        Responsiveness = new TableResponsiveness { Unit = DurationUnit.Task, Rows = rows },
    };

    /// <summary>The model after each version, and what became of each update.</summary>
    public (List<double> Models, List<UpdateRow> Updates) Play()
    {
        var run = Run with { EvaluateEvery = 0, Stop = new StopOptions { Versions = Versions } };
        var configuration = new ExperimentConfiguration
        {
            Precision = NumberFormat.Float64, Training = Training, Strategy = Strategy, Run = run, Clients = Clients,
        };
        var state = new ModelState<double>(
            [Start],
            StrategyFactory.CreateAggregator<double>(Strategy, 1),
            StrategyFactory.CreateServerOptimizer<double>(Strategy, 1),
            StrategyFactory.CreateObjectiveServer<double>(Strategy, 1, Clients.Count));
        var local = Training.With(Strategy.Objective);
        using var workload = new TrainingWorkload<double>(
            () => new LocalTrainer<double>(Model(), local), Data, local, Strategy.Compression, state, 1, Versions, threads: 2);
        var record = new Recorder();
        var models = new Models(state, workload, Look);
        new Simulator(
            new RunMachine(run, StrategyFactory.CreateScheduler(configuration)), run, new Fleet(Clients, Clients.Count, 1), Between(workload),
            new CompositeObserver(record, models), TimeProvider.System).Run(CancellationToken.None);
        return (models.Versions, record.Updates);
    }

    private sealed class Models(ModelState<double> state, TrainingWorkload<double> workload, Action<ModelState<double>, TrainingWorkload<double>> look)
        : ISimulationObserver
    {
        public List<double> Versions { get; } = [];

        public void OnVersion(in VersionPublished version)
        {
            Versions.Add(state.Current.Parameters[0]);
            look(state, workload);
        }
    }
}

/// <summary>Hands everything on; to be changed in one place.</summary>
internal class PassingWorkload(IWorkload inner) : IWorkload
{
    public bool CanEvaluate => inner.CanEvaluate;

    public (long Down, long Up) Bytes => inner.Bytes;

    public double Examples(int client) => inner.Examples(client);

    public int StepsFor(int client, LocalWork work) => inner.StepsFor(client, work);

    public virtual void Begin(int slot, Assignment assignment, int steps, double due) => inner.Begin(slot, assignment, steps, due);

    public virtual TaskResult Complete(int slot) => inner.Complete(slot);

    public void Accept(int slot) => inner.Accept(slot);

    public virtual void Accumulate(int slot, Accumulate effect) => inner.Accumulate(slot, effect);

    public void Discard(int slot) => inner.Discard(slot);

    public double Publish(Publish effect) => inner.Publish(effect);

    public Evaluation Evaluate() => inner.Evaluate();

    public void Dispose() => inner.Dispose();
}
