using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Data;

/// <summary>Makes tensors of the batches that the trainer deals. An instance may be shared by threads.</summary>
public interface ITorchBatchReader
{
    /// <summary>Input and target of a batch on a device; they belong to the caller's dispose scope.</summary>
    TorchBatch Read(in Batch<float> batch, Device device);
}

/// <summary>A mini-batch as a module takes it.</summary>
/// <param name="Input">First dimension: examples.</param>
/// <param name="Target">First dimension: examples.</param>
public readonly record struct TorchBatch(Tensor Input, Tensor Target);
