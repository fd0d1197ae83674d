using Federated.Simulation.Engine;

namespace Federated.Simulation;

/// <summary>Runs experiments in virtual time.</summary>
public static class ExperimentRunner
{
    /// <summary>Loads the data, checks the configuration against them, and runs to the end.</summary>
    /// <param name="dataDirectory">Where known data sets stand, and against which relative paths are resolved.</param>
    /// <param name="observer">Follows the run; null for nobody.</param>
    /// <param name="clock">The real clock, for wall seconds only.</param>
    /// <param name="cancellation">Stops the run as an operator would: what there is, is kept.</param>
    /// <exception cref="SimulationException">The configuration cannot be run.</exception>
    /// <exception cref="Training.TrainingException">The data, the partition or the model cannot be had as asked.</exception>
    public static ExperimentResult Run(
        ExperimentConfiguration configuration, string dataDirectory, ISimulationObserver? observer, TimeProvider clock, CancellationToken cancellation) =>
        Experiment.Prepare(configuration, dataDirectory).Run(observer, clock, cancellation);
}
