using Federated.Client.TorchSharp.Binding;
using Federated.Client.TorchSharp.Optimizers;
using Federated.Client.TorchSharp.Privacy;
using Federated.Training;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;

namespace Federated.Client.TorchSharp;

/// <summary>Refuses combinations that would compute something else than they say.</summary>
internal static class TrainerGuard
{
    public static void Check(
        FlatModule flat, ILocalObjective<float> objective, LocalTrainingOptions local, TorchOptimizer optimizer, DpSgdOptions? privacy)
    {
        if (objective.NeedsPlainSgd && !optimizer.IsPlainSgd)
        {
            throw new TrainingException(
                $"The objective '{objective.Name}' reads a mean gradient off the distance travelled, which momentum and adaptive optimizers distort: use SGD with momentum 0.");
        }

        if (objective.ClientState.Count > 0 && flat.TrainedCount < flat.Layout.Count)
        {
            throw new TrainingException(
                $"The objective '{objective.Name}' remembers how far each value moved, which means nothing for buffers such as running statistics. Set buffers: reset or keep, or normalise by groups.");
        }

        if (objective.HasOwnGradient && flat.Precision == TorchPrecision.Float16)
        {
            throw new TrainingException($"The objective '{objective.Name}' takes gradients of its own, without a loss scale: set precision: bfloat16 or float32.");
        }

        if (privacy is not null)
        {
            CheckPrivacy(flat, objective, local, privacy);
        }
    }

    private static void CheckPrivacy(FlatModule flat, ILocalObjective<float> objective, LocalTrainingOptions local, DpSgdOptions privacy)
    {
        privacy.Check();
        if (flat.Module.modules().FirstOrDefault(m => m.GetType().Name.StartsWith("BatchNorm", StringComparison.Ordinal)) is { } mixing)
        {
            throw new TrainingException(
                $"The module has a {mixing.GetType().Name}, which mixes the examples of a batch: no example's gradient is its own then, and clipping protects nobody. Use group normalisation.");
        }

        if (flat.TrainedCount < flat.Layout.Count)
        {
            throw new TrainingException("Under differential privacy buffers would leave the client without noise. Set buffers: reset.");
        }

        if (objective.HasOwnGradient || local.Objective is ScaffoldOptions { Control: ScaffoldControl.FullGradient })
        {
            throw new TrainingException(
                $"The objective '{objective.Name}' as configured looks at the examples once more without noise. Use none, fedprox, feddyn, or scaffold with control: displacement.");
        }

        if (local.BatchSize == 0)
        {
            throw new TrainingException("Under differential privacy the batch size divides the noisy sum and must not depend on the data: set batchSize above 0.");
        }

        if (local.Optimizer.ClipNorm > 0)
        {
            throw new TrainingException("Under differential privacy every example's gradient is clipped (privacy.clipNorm); clipping the noisy mean as well is not supported. Set optimizer.clipNorm to 0.");
        }

        if (flat.Precision == TorchPrecision.Float16)
        {
            throw new TrainingException("Per-example gradients are taken without a loss scale: set precision: bfloat16 or float32.");
        }
    }
}
