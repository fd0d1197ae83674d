namespace Federated.Client.Training;

/// <summary>What a device brings: its data, and how to train on them. Everything else is the session's.</summary>
/// <remarks>
/// Calls come one at a time, on a thread of the session's choosing that may be kept busy as long as the work takes. Whatever a trainer
/// throws ends the assignment with that reason; the session goes on, unless it happens several times in a row.
/// </remarks>
public interface ITrainer
{
    /// <summary>
    /// n_i, the training examples; told at check-in until the run turns out to trust nobody with it. 0 keeps it to oneself, as is right where
    /// the run is known to randomise reports locally.
    /// </summary>
    double Examples { get; }

    /// <summary>Trains from <see cref="TrainingTask.Model"/> and writes local − model into <see cref="TrainingTask.Delta"/>.</summary>
    /// <param name="cancellation">Signalled when nobody will take the update: the coordinator cancelled, the lease ended, the device is wanted back.</param>
    TrainingResult Train(TrainingTask task, CancellationToken cancellation);

    /// <summary>Evaluates a model on the device's own data; null to keep out of it.</summary>
    EvaluationResult? Evaluate(EvaluationTask task, CancellationToken cancellation) => null;
}
