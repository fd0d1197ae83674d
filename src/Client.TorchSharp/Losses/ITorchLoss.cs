using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Losses;

/// <summary>What a module's outputs are judged by. Tensors that are made belong to the caller's dispose scope.</summary>
public interface ITorchLoss
{
    /// <summary>Mean loss over the batch, a scalar to differentiate.</summary>
    /// <param name="output">What the module made of the batch, float32.</param>
    Tensor Mean(Tensor output, Tensor target);

    /// <summary>Sums over the batch.</summary>
    Evaluation Score(Tensor output, Tensor target);
}
