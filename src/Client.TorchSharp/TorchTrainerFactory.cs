using Federated.Client.TorchSharp.Losses;
using Federated.Client.TorchSharp.Modules;
using Federated.Client.TorchSharp.Privacy;
using Federated.Training;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp;

/// <summary><c>trainer: torch</c> of experiment files and clients.</summary>
public sealed class TorchTrainerFactory : ITrainerFactory
{
    public bool Serves(TrainerOptions trainer) => trainer is TorchTrainerOptions;

    public ILocalTrainer<float> Create(TrainerOptions trainer, ModelOptions model, IReadOnlyList<int> exampleShape, int classes, LocalTrainingOptions options) =>
        CreateTorch(trainer, model, exampleShape, classes, options);

    internal static TorchTrainer CreateTorch(TrainerOptions trainer, ModelOptions model, IReadOnlyList<int> exampleShape, int classes, LocalTrainingOptions options)
    {
        var engine = trainer as TorchTrainerOptions ?? throw new ArgumentException($"The torch trainer is not made by {trainer?.GetType().Name ?? "null"}.", nameof(trainer));
        TorchRuntime.Require();
        if (engine.Buffers == BufferPolicy.Keep)
        {
            throw new TrainingException("Buffers that stay with a trainer belong to one client, and here one trainer serves many. Set buffers: travel or reset.");
        }

        var module = TorchModules.Create(model, exampleShape, classes);
        var made = new TorchModel(module.Create, new CrossEntropyLoss(), module.Reader, new TorchModelOptions { Engine = engine, Initialize = module.Initialize });
        var privacy = options.Noise is { } noise
            ? new DpSgdOptions { ClipNorm = noise.ClipNorm, NoiseMultiplier = noise.NoiseMultiplier, SamplingRate = noise.SamplingRate, IsSeededByTask = noise.IsSeeded }
            : null;
        return new TorchTrainer(made, new TorchTrainingOptions { Local = options, Privacy = privacy });
    }
}
