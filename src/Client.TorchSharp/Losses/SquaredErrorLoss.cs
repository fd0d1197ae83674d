using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Losses;

/// <summary>Mean squared error: regression. Nothing counts as correct.</summary>
public sealed class SquaredErrorLoss : ITorchLoss
{
    public Tensor Mean(Tensor output, Tensor target) => nn.functional.mse_loss(output, target.view_as(output));

    public Evaluation Score(Tensor output, Tensor target) =>
        new(checked((int)target.shape[0]), 0, Mean(output, target).ToDouble() * target.shape[0]);
}
