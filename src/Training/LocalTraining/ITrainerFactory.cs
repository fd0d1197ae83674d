using Federated.Training.Models;

namespace Federated.Training.LocalTraining;

/// <summary>An engine that can train in place of the managed kernels. A host is given the engines that its build has.</summary>
public interface ITrainerFactory
{
    /// <summary>Whether this engine is the one that the options describe.</summary>
    bool Serves(TrainerOptions trainer);

    /// <summary>Makes one worker's trainer, in float32.</summary>
    /// <param name="trainer">Options that this engine <see cref="Serves"/>.</param>
    /// <param name="exampleShape">Shape of one example, for example 1×28×28.</param>
    /// <exception cref="TrainingException">The engine cannot work on this machine, or cannot train this model this way; the message says what to change.</exception>
    ILocalTrainer<float> Create(TrainerOptions trainer, ModelOptions model, IReadOnlyList<int> exampleShape, int classes, LocalTrainingOptions options);
}
