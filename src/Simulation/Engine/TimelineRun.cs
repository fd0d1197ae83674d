using Federated.Coordinator.Runs;
using Federated.Simulation.Devices;

namespace Federated.Simulation.Engine;

/// <summary>An experiment without training.</summary>
internal sealed class TimelineRun : IExperimentRun
{
    private readonly Experiment experiment;

    public TimelineRun(Experiment experiment)
    {
        this.experiment = experiment;
        _ = StrategyFactory.CreateScheduler(experiment.Configuration); // Whatever cannot be composed is refused here, before anything is written.
    }

    public ExperimentResult Run(Fleet fleet, ISimulationObserver? observer, TimeProvider clock, CancellationToken cancellation)
    {
        var configuration = experiment.Configuration;
        var training = (NoTraining)configuration.Training;
        var machine = new RunMachine(configuration.Run, StrategyFactory.CreateScheduler(configuration, observer));
        using var workload = new TimelineWorkload(
            experiment.Data is { } data ? client => data.Clients[client].Train.Length : _ => training.Examples, training.BatchSize, training.ModelBytes);
        var outcome = new Simulator(machine, configuration.Run, fleet, workload, observer, clock,
            configuration.Strategy.ExampleWeight.Of, StrategyFactory.Normalises(configuration.Strategy)).Run(cancellation);
        return new ExperimentResult(outcome.Summarize(experiment, StrategyFactory.Describe(configuration)), null);
    }
}
