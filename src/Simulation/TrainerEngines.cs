using Federated.Training.LocalTraining;

namespace Federated.Simulation;

/// <summary>Finds what a configuration wants to train with among what the build has.</summary>
public static class TrainerEngines
{
    /// <summary>The engine that these options describe; null for the managed kernels.</summary>
    /// <param name="engines">What the build has beside them.</param>
    /// <exception cref="SimulationException">The build lacks it; the message says how to get it.</exception>
    public static ITrainerFactory? Find(TrainerOptions trainer, IReadOnlyList<ITrainerFactory> engines) => trainer is ManagedTrainerOptions
        ? null
        : engines.FirstOrDefault(e => e.Serves(trainer)) ?? throw new SimulationException(
            $"trainer: {TrainerKinds.Torch} needs TorchSharp, and this build has none: its package feed lacks it. Add a feed that has it and run ./fed engines --probe, or set trainer: {TrainerKinds.Managed}.");
}
