using Federated.Training.Data;

namespace Federated.Client.TorchSharp.Data;

/// <summary>One client's examples as a TorchSharp dataset, for code that brings its own <c>torch.utils.data.DataLoader</c>.</summary>
/// <param name="examples">Indices into <paramref name="data"/>; all of them when left out.</param>
/// <remarks>An example has the tensors <c>data</c> (float32, the shape of an example) and <c>label</c> (int64 scalar).</remarks>
public sealed class TorchDataset(DataSet data, int[]? examples = null) : utils.data.Dataset
{
    private readonly long[] shape = [.. data.ExampleShape.Select(extent => (long)extent)];

    public override long Count => examples?.Length ?? data.Count;

    public override Dictionary<string, Tensor> GetTensor(long index)
    {
        var example = examples is null ? checked((int)index) : examples[index];
        return new Dictionary<string, Tensor>
        {
            ["data"] = tensor(data.Row(example).ToArray(), shape),
            ["label"] = tensor((long)data.Labels[example]),
        };
    }
}
