using System.Numerics;
using Federated.Aggregation.Compression;

namespace Federated.Aggregation.Averaging;

/// <summary>An aggregator that takes an update piece by piece, so that an encoded one is added while it is decoded and never stands in memory.</summary>
public interface IPiecewiseAggregator<T> : IAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Begins an update; it counts from <see cref="SumTerm{T}.Complete"/> on. One at a time.</summary>
    /// <param name="description">All about the update but its delta, which is not read.</param>
    SumTerm<T> Begin(in Contribution<T> description);
}

/// <summary>Encoded updates into aggregators.</summary>
public static class EncodedUpdates
{
    /// <summary>Decodes and adds an update in one go; the same bits as adding the decoded update. A refused message leaves no trace.</summary>
    /// <param name="aggregator">Takes the update.</param>
    /// <param name="codec">The codec that wrote the message.</param>
    /// <param name="message">One whole message, from anybody.</param>
    /// <param name="description">All about the update but its delta.</param>
    /// <exception cref="AggregationException">The message is not one of the codec's for this dimension.</exception>
    public static void AddEncoded<T>(
        this IPiecewiseAggregator<T> aggregator, IUpdateCodec<T> codec, ReadOnlySpan<byte> message, in Contribution<T> description)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(aggregator);
        ArgumentNullException.ThrowIfNull(codec);
        var term = aggregator.Begin(description);
        try
        {
            codec.Decode(message, term.Dimension, ref term);
        }
        catch
        {
            term.Abandon();
            throw;
        }

        term.Complete();
    }
}
