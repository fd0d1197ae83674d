using System.Numerics;
using System.Numerics.Tensors;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Training.LocalTraining;

/// <summary>The gradient of the mean loss over any number of examples, in chunks that keep the model's scratch memory small.</summary>
internal sealed class FullGradient<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Chunk = 256;

    private readonly int[] labels = new int[Chunk];
    private T[] features = [];
    private T[] part = [];

    /// <returns>The mean loss.</returns>
    public double Compute(IModel<T> model, DataSet data, ReadOnlySpan<int> examples, ReadOnlySpan<T> parameters, Span<T> gradient)
    {
        if (part.Length != gradient.Length || features.Length != Chunk * data.FeatureCount)
        {
            (part, features) = (new T[gradient.Length], new T[Chunk * data.FeatureCount]);
        }

        gradient.Clear();
        var loss = 0.0;
        for (var start = 0; start < examples.Length; start += Chunk)
        {
            var chunk = examples.Slice(start, Math.Min(Chunk, examples.Length - start));
            MiniBatches<T>.Gather(data, chunk, features, labels);
            var share = (double)chunk.Length / examples.Length;
            loss += share * model.Gradient(parameters, new Batch<T>(features, labels, chunk.Length), part);
            TensorPrimitives.MultiplyAdd(part, T.CreateTruncating(share), gradient, gradient);
        }

        return loss;
    }
}
