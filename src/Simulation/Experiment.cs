using Federated.Privacy;
using Federated.Privacy.Statements;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Training.Data;
using Federated.Training.LocalTraining;

namespace Federated.Simulation;

/// <summary>
/// An experiment that has been checked and whose data are loaded: everything that can be wrong with a configuration is told by
/// <see cref="Prepare"/>, before anything is computed or written.
/// </summary>
public sealed class Experiment
{
    private readonly IExperimentRun run;

    private Experiment(ExperimentConfiguration configuration, FederatedData? data, int clients, ITrainerFactory? engine)
    {
        (Configuration, Data, ClientCount) = (configuration, data, clients);
        run = (configuration.Training, configuration.Precision) switch
        {
            (NoTraining, _) => new TimelineRun(this),
            (LocalTraining training, NumberFormat.Float64) => new TrainedRun<double>(this, training, configuration.Model!, data!, engine),
            (LocalTraining training, _) => new TrainedRun<float>(this, training, configuration.Model!, data!, engine),
            _ => throw new SimulationException($"No training of kind {configuration.Training.GetType().Name}."),
        };
    }

    /// <summary>The configuration as it will be run: the run's seed and the thread count filled in.</summary>
    public ExperimentConfiguration Configuration { get; }

    /// <summary>The data and their split; null in a run without data.</summary>
    public FederatedData? Data { get; }

    public int ClientCount { get; }

    /// <summary>What the run can cost a client at most, under its privacy policy; null when nothing bounds it in advance, or there is no policy.</summary>
    public PrivacyGuarantee? PlannedPrivacy => run.PlannedPrivacy;

    /// <summary>What the run says about privacy before it begins.</summary>
    public PrivacyStatement Statement => run.Statement ?? PrivacyStatement.None(StatementSetting.Simulation);

    /// <summary>Loads the data and checks the configuration against them.</summary>
    /// <param name="dataDirectory">Where known data sets stand, and against which relative paths are resolved.</param>
    /// <param name="engines">What this build can train with beside the managed kernels.</param>
    /// <exception cref="SimulationException">The configuration cannot be run; the message says what to change.</exception>
    /// <exception cref="Training.TrainingException">The data, the partition or the model cannot be had as asked.</exception>
    public static Experiment Prepare(ExperimentConfiguration configuration, string dataDirectory, params IReadOnlyList<ITrainerFactory> engines)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var resolved = ExperimentGuard.Resolve(configuration);
        ExperimentGuard.CheckSections(resolved);
        var engine = ExperimentGuard.Engine(resolved, engines);
        if (resolved.Analysis is not null)
        {
            throw new SimulationException("An analysis asks real clients: create it with 'fed runs create', or see 'fed privacy study' for its accuracy in numbers.");
        }

        var data = resolved.Data is { } options ? FederatedDataFactory.Create(options, dataDirectory, resolved.Seed) : null;
        var clients = ExperimentGuard.Clients(resolved, data);
        ExperimentGuard.Check(resolved, data, clients);
        return new Experiment(resolved, data, clients, engine);
    }

    /// <summary>The strategy's parts by the names that configuration knows them by: <c>synchronous × mean × sgd × none</c>.</summary>
    public static string Describe(ExperimentConfiguration configuration) => StrategyFactory.Describe(configuration);

    /// <summary>Runs to the end; may be called again, for the same result.</summary>
    /// <param name="observer">Follows the run; null for nobody.</param>
    /// <param name="clock">The real clock, for wall seconds only.</param>
    /// <param name="cancellation">Stops the run as an operator would: what there is, is kept.</param>
    public ExperimentResult Run(ISimulationObserver? observer, TimeProvider clock, CancellationToken cancellation)
    {
        var result = run.Run(new Fleet(Configuration.Clients, ClientCount, Configuration.Seed), observer, clock, cancellation);
        observer?.OnFinish(result.Summary);
        return result;
    }
}
