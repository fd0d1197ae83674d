using Federated.Training.LocalTraining;

namespace Federated.Cli;

/// <summary>What this build can train with beside the managed kernels: nothing, where the package feed had nothing.</summary>
internal static class Engines
{
    public static IReadOnlyList<ITrainerFactory> Trainers { get; } =
    [
#if TORCHSHARP
        new Client.TorchSharp.TorchTrainerFactory(),
#endif
    ];
}
