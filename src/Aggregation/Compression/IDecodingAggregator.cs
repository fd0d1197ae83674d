using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Compression;

/// <summary>An aggregator that decodes updates in its own way: into a place it keeps, or twice because it needs their length first.</summary>
public interface IDecodingAggregator<T> : IAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Takes one contribution whose delta is encoded; the message is read before this returns.</summary>
    /// <param name="codec">The codec that wrote the message.</param>
    /// <param name="message">One whole message, from anybody.</param>
    /// <param name="description">All about the update but its delta, which is not read.</param>
    /// <exception cref="AggregationException">The message is refused; the aggregate is as it was.</exception>
    void AddEncoded(IUpdateCodec<T> codec, ReadOnlySpan<byte> message, in Contribution<T> description);
}

/// <summary>Adds encoded updates to aggregators of any kind.</summary>
public static class EncodedContributions
{
    /// <summary>
    /// Takes one contribution whose delta is encoded, with the same bits as decoding first and adding then: fused where the aggregator
    /// takes pieces or decodes itself, by way of one pooled vector elsewhere.
    /// </summary>
    /// <param name="aggregator">Takes the update.</param>
    /// <param name="codec">The codec that wrote the message.</param>
    /// <param name="message">One whole message, from anybody.</param>
    /// <param name="description">All about the update but its delta, which is not read.</param>
    /// <param name="dimension">d.</param>
    /// <exception cref="AggregationException">The message is refused; the aggregate is as it was.</exception>
    public static void AddEncoded<T>(
        this IAggregator<T> aggregator, IUpdateCodec<T> codec, ReadOnlySpan<byte> message, in Contribution<T> description, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(aggregator);
        ArgumentNullException.ThrowIfNull(codec);
        switch (aggregator)
        {
            case IPiecewiseAggregator<T> piecewise:
                piecewise.AddEncoded(codec, message, description);
                break;
            case IDecodingAggregator<T> decoding:
                decoding.AddEncoded(codec, message, description);
                break;
            default:
                var delta = ArrayPool<T>.Shared.Rent(Math.Max(1, dimension));
                codec.DecodeInto(message, delta.AsSpan(0, dimension));
                aggregator.Add(new Contribution<T>(description.Client, delta.AsSpan(0, dimension), description.Weight)
                {
                    Sequence = description.Sequence,
                    Examples = description.Examples,
                    LocalSteps = description.LocalSteps,
                    StepWeight = description.StepWeight,
                    Staleness = description.Staleness,
                });
                ArrayPool<T>.Shared.Return(delta);
                break;
        }
    }
}
