using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;

namespace Federated.Training.Models;

/// <summary>
/// A differentiable classifier over one flat parameter buffer. An instance owns its scratch memory and belongs to one thread;
/// parameters are passed in at each call, so that one resident instance serves any number of clients.
/// </summary>
public interface IModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    ParameterLayout Layout { get; }

    /// <summary>Writes the initial parameters (d values; overwritten).</summary>
    void Initialize(Span<T> parameters, SeededRandom random);

    /// <summary>Mean loss over the batch, and its gradient.</summary>
    /// <param name="gradient">d values; overwritten.</param>
    double Gradient(ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient);

    /// <summary>Sum of losses and number of correct predictions over the batch.</summary>
    Evaluation Evaluate(ReadOnlySpan<T> parameters, in Batch<T> batch);
}

/// <summary>A mini-batch: <paramref name="count"/> rows of features (row-major) and their labels.</summary>
public readonly ref struct Batch<T>(ReadOnlySpan<T> features, ReadOnlySpan<int> labels, int count)
    where T : unmanaged
{
    public ReadOnlySpan<T> Features { get; } = features;

    public ReadOnlySpan<int> Labels { get; } = labels;

    public int Count { get; } = count;
}

/// <summary>Sums over evaluated examples; add two to pool them.</summary>
public readonly record struct Evaluation(int Count, int Correct, double LossSum)
{
    public double Accuracy => Count == 0 ? double.NaN : (double)Correct / Count;

    public double Loss => Count == 0 ? double.NaN : LossSum / Count;

    public static Evaluation operator +(Evaluation a, Evaluation b) => new(a.Count + b.Count, a.Correct + b.Correct, a.LossSum + b.LossSum);
}
