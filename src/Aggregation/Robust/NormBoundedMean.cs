using System.Numerics;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>Norm bounding with a fixed bound, streaming: the weighted mean of updates that were shortened to length M where they were longer.</summary>
/// <remarks>
/// The rule, its source and what it tolerates are <see cref="NormBounding{T}"/>'s; this needs no other update to treat one, so that it
/// holds O(d) (16 B per coordinate) instead of all n updates. Cost: two reads of each update. Sums are <see cref="ReproducibleSum{T}"/>'s.
/// </remarks>
public sealed class NormBoundedMean<T> : IDecodingAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly double bound;
    private readonly Tally weights = new();
    private readonly Tally shares = new();
    private readonly ReproducibleSum<T> sum;

    public NormBoundedMean(NormBoundingOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        bound = options is { Bound: > 0 and < double.PositiveInfinity, OfMedian: false }
            ? options.Bound
            : throw new AggregationException($"A streaming norm bound needs Bound > 0 and OfMedian = false; they were {options.Bound} and {options.OfMedian}. A median of lengths needs all updates: use a RobustAggregator.");
        sum = new ReproducibleSum<T>(dimension);
    }

    public string Name => RobustRules.NormBounding;

    public bool IsStreaming => true;

    public int Count => weights.Count;

    public void Add(in Contribution<T> contribution)
    {
        Guards.RequireWeight(contribution.Weight);
        ArgumentOutOfRangeException.ThrowIfNotEqual(contribution.Delta.Length, sum.Dimension);
        var weight = Share(contribution.Weight, SquaredLength.Of(contribution.Delta));
        sum.Add(contribution.Delta, weight);
    }

    // The first decoding gives the length, and refuses the message before anything has changed.
    public void AddEncoded(IUpdateCodec<T> codec, ReadOnlySpan<byte> message, in Contribution<T> description)
    {
        ArgumentNullException.ThrowIfNull(codec);
        Guards.RequireWeight(description.Weight);
        var length = default(LengthSink);
        codec.Decode(message, sum.Dimension, ref length);
        var term = sum.BeginTerm(Share(description.Weight, length.Squared.Total));
        codec.Decode(message, sum.Dimension, ref term);
        term.Complete();
    }

    public CombineReport Combine(Span<T> pseudoGradient)
    {
        Guards.RequireUpdates(Count);
        var divisor = weights.Total;
        Guards.RequireWeightSum(divisor, Count);
        sum.Read(pseudoGradient, divisor);
        var report = new CombineReport(Count, shares.Total / divisor);
        sum.Reset();
        weights.Reset();
        shares.Reset();
        return report;
    }

    // w·min(1, M/‖u‖), counted.
    private double Share(double weight, double squaredLength)
    {
        var length = Math.Sqrt(squaredLength);
        var share = length > bound ? weight * (bound / length) : weight;
        weights.Add(weight);
        shares.Add(share);
        return share;
    }

    private struct LengthSink : IUpdateSink<T>
    {
        public SquaredLength Squared;

        public void AddBlock(int offset, scoped ReadOnlySpan<T> values) => Squared.Add(offset, values);

        public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<T> values) => Squared.Add(indices, values);
    }
}
