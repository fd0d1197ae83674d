using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Losses;

/// <summary>A loss given as a function; nothing counts as correct unless another function says so.</summary>
/// <param name="mean">Mean loss over the batch from output and target.</param>
/// <param name="correct">Correct predictions of the batch; null when the word means nothing.</param>
public sealed class CustomLoss(Func<Tensor, Tensor, Tensor> mean, Func<Tensor, Tensor, int>? correct = null) : ITorchLoss
{
    public Tensor Mean(Tensor output, Tensor target) => mean(output, target);

    public Evaluation Score(Tensor output, Tensor target)
    {
        var count = checked((int)target.shape[0]);
        return new Evaluation(count, correct?.Invoke(output, target) ?? 0, mean(output, target).ToDouble() * count);
    }
}
