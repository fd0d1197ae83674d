using System.Runtime.InteropServices;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Data;

/// <summary>Reads batches of a <see cref="Federated.Training.Data.DataSet"/>: features in the shape of an example, labels as int64.</summary>
/// <param name="exampleShape">Shape of one example as the module wants it, for example 1×28×28.</param>
/// <param name="integers">Whether features are symbols (characters, tokens), which reach the module as int64 whatever it computes in.</param>
/// <remarks>One copy of the batch from managed memory, one more to a GPU.</remarks>
public sealed class DataSetReader(IReadOnlyList<int> exampleShape, bool integers = false) : ITorchBatchReader
{
    private readonly long[] shape = [.. exampleShape.Select(extent => (long)extent)];
    private readonly int width = exampleShape.Aggregate(1, (product, extent) => checked(product * extent));

    public TorchBatch Read(in Batch<float> batch, Device device)
    {
        var features = batch.Features[..checked(batch.Count * width)];
        Tensor input = empty([batch.Count, .. shape], dtype: integers ? int64 : float32);
        if (integers)
        {
            var symbols = MemoryMarshal.Cast<byte, long>(input.bytes);
            for (var i = 0; i < features.Length; i++)
            {
                symbols[i] = (long)features[i];
            }
        }
        else
        {
            features.CopyTo(MemoryMarshal.Cast<byte, float>(input.bytes));
        }

        var target = empty(batch.Count, dtype: int64);
        var labels = MemoryMarshal.Cast<byte, long>(target.bytes);
        for (var i = 0; i < batch.Count; i++)
        {
            labels[i] = batch.Labels[i];
        }

        return device.type == DeviceType.CPU ? new TorchBatch(input, target) : new TorchBatch(input.to(device), target.to(device));
    }
}
