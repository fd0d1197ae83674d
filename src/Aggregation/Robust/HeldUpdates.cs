using System.Numerics;

namespace Federated.Aggregation.Robust;

/// <summary>n updates of d coordinates, held side by side for a robust rule, with their weights.</summary>
/// <remarks>Refers to the vectors, copies nothing.</remarks>
public sealed class HeldUpdates<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ReadOnlyMemory<T>[] vectors;
    private readonly double[]? weights;

    /// <param name="vectors">n vectors of equal length d, in canonical order (ascending client id, then sequence); finite.</param>
    /// <param name="weights">n weights ≥ 0 with a positive sum, for rules whose paper weights the updates; null for equal ones.</param>
    public HeldUpdates(ReadOnlyMemory<T>[] vectors, double[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
        {
            throw new AggregationException($"Robust rules combine float or double parameters; these are {typeof(T).Name}. Convert them first.");
        }

        Dimension = vectors.Length == 0 ? 0 : vectors[0].Length;
        foreach (var vector in vectors)
        {
            if (vector.Length != Dimension)
            {
                throw new AggregationException($"Updates to combine must have one length; there were {Dimension} and {vector.Length} coordinates.");
            }
        }

        if (weights is not null)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, vectors.Length);
        }

        this.vectors = vectors;
        this.weights = weights;
    }

    /// <summary>n.</summary>
    public int Count => vectors.Length;

    /// <summary>d.</summary>
    public int Dimension { get; }

    /// <summary>Workers that may share one combination; the result is the same, to the bit, for any value.</summary>
    /// <value>The default is the number of processors. Must be at least 1.</value>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>The coordinates of update <paramref name="index"/>.</summary>
    public ReadOnlySpan<T> this[int index] => vectors[index].Span;

    /// <summary>The vectors in canonical order.</summary>
    public ReadOnlySpan<ReadOnlyMemory<T>> Vectors => vectors;

    /// <summary>The weight of update <paramref name="index"/>; 1 when none were given.</summary>
    public double Weight(int index) => weights is null ? 1.0 : weights[index];

    /// <summary>The weights divided by their sum, added in canonical order.</summary>
    public double[] NormalisedWeights()
    {
        var shares = new double[Count];
        var sum = 0.0;
        for (var i = 0; i < Count; i++)
        {
            shares[i] = Weight(i);
            sum += shares[i];
        }

        if (!(sum > 0) || double.IsInfinity(sum))
        {
            throw new AggregationException($"Weighted rules need weights with a positive, finite sum; the {Count} weights add up to {sum}.");
        }

        for (var i = 0; i < Count; i++)
        {
            shares[i] /= sum;
        }

        return shares;
    }

    /// <summary>Refuses too few updates, and a result of another length than the updates'.</summary>
    internal void ThrowIfUnfit(IRobustRule<T> rule, Span<T> result, string bound)
    {
        if (Count < rule.MinimumCount)
        {
            throw new AggregationException(
                $"{rule.Name} needs at least {rule.MinimumCount} updates ({bound}), there were {Count}. Raise the cohort or the aggregation goal, or lower what the rule must tolerate.");
        }

        if (result.Length != Dimension)
        {
            throw new ArgumentException($"The result has {result.Length} coordinates, the updates {Dimension}.", nameof(result));
        }
    }
}
