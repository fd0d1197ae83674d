using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Compression;

/// <summary>An aggregator that takes encoded updates without a decoded copy of its own beside them.</summary>
public interface IDecodingAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Takes one contribution whose delta is encoded; the message is read before this returns.</summary>
    /// <param name="about">Client, weight and counts; its delta is not read.</param>
    /// <param name="codec">The codec that wrote the message.</param>
    /// <param name="message">One whole message.</param>
    /// <exception cref="AggregationException">The message is refused; the aggregate is as it was.</exception>
    void AddEncoded(in Contribution<T> about, IUpdateCodec<T> codec, ReadOnlySpan<byte> message);
}

/// <summary>Adds encoded updates to any aggregator.</summary>
public static class EncodedContributions
{
    /// <summary>
    /// Takes one contribution whose delta is encoded: fused where the aggregator is the weighted mean or decodes itself, by way of one
    /// pooled vector elsewhere. The same bits as decoding first and adding then.
    /// </summary>
    /// <param name="aggregator">Any aggregator.</param>
    /// <param name="about">Client, weight and counts; its delta is not read.</param>
    /// <param name="dimension">d.</param>
    /// <param name="codec">The codec that wrote the message.</param>
    /// <param name="message">One whole message.</param>
    /// <exception cref="AggregationException">The message is refused; the aggregate is as it was.</exception>
    public static void AddEncoded<T>(
        this IAggregator<T> aggregator, in Contribution<T> about, int dimension, IUpdateCodec<T> codec, ReadOnlySpan<byte> message)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(aggregator);
        ArgumentNullException.ThrowIfNull(codec);
        switch (aggregator)
        {
            case IDecodingAggregator<T> decoding:
                decoding.AddEncoded(about, codec, message);
                break;
            case WeightedMean<T> mean:
                var weight = about.Weight;
                var sink = new TermSink<T>(() => mean.BeginTerm(weight));
                codec.Decode(message, dimension, ref sink);
                sink.Complete();
                break;
            default:
                var delta = ArrayPool<T>.Shared.Rent(Math.Max(1, dimension));
                codec.DecodeInto(message, delta.AsSpan(0, dimension));
                aggregator.Add(new Contribution<T>(about.Client, delta.AsSpan(0, dimension), about.Weight)
                {
                    Sequence = about.Sequence,
                    Examples = about.Examples,
                    LocalSteps = about.LocalSteps,
                    StepWeight = about.StepWeight,
                    Staleness = about.Staleness,
                });
                ArrayPool<T>.Shared.Return(delta);
                break;
        }
    }
}
