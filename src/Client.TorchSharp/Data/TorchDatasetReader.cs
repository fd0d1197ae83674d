using Federated.Training;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Data;

/// <summary>
/// Reads batches of a TorchSharp dataset, so that data which are no table of floats (several shapes, on disk, made on the fly) are dealt,
/// shuffled and counted by the same trainer as any other: what it deals are indices, and the tensors come from the dataset.
/// </summary>
/// <remarks>Examples are stacked, so that their tensors must have one shape. The dataset must allow calls from several threads where several train.</remarks>
public sealed class TorchDatasetReader : ITorchBatchReader
{
    private readonly utils.data.Dataset<Dictionary<string, Tensor>> dataset;
    private readonly string input;
    private readonly string target;

    /// <param name="dataset">The data; stays the caller's.</param>
    /// <param name="input">Key of the module's input among an example's tensors.</param>
    /// <param name="target">Key of what the loss compares with.</param>
    public TorchDatasetReader(utils.data.Dataset<Dictionary<string, Tensor>> dataset, string input = "data", string target = "label")
    {
        ArgumentNullException.ThrowIfNull(dataset);
        (this.dataset, this.input, this.target) = (dataset, input, target);
        var count = checked((int)dataset.Count);
        Indices = new DataSet(dataset.GetType().Name, [], [.. Enumerable.Range(0, count)], [0], count);
    }

    /// <summary>Stands for the dataset in tasks and evaluations: example i has no features and label i.</summary>
    public DataSet Indices { get; }

    public TorchBatch Read(in Batch<float> batch, Device device)
    {
        var inputs = new List<Tensor>(batch.Count);
        var targets = new List<Tensor>(batch.Count);
        foreach (var index in batch.Labels[..batch.Count])
        {
            var example = dataset.GetTensor(index);
            inputs.Add(Part(example, input, index));
            targets.Add(Part(example, target, index));
        }

        return new TorchBatch(stack(inputs).to(device), stack(targets).to(device));
    }

    private static Tensor Part(Dictionary<string, Tensor> example, string key, int index) => example.TryGetValue(key, out var tensor)
        ? tensor
        : throw new TrainingException($"Example {index} of the dataset has no tensor '{key}'; it has {string.Join(", ", example.Keys)}. Name the right keys.");
}
