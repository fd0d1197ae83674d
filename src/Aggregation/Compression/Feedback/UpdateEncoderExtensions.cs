using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>Encoding as every client does it, simulated or on a device: what a codec draws follows from the assignment's seed.</summary>
public static class UpdateEncoderExtensions
{
    /// <summary>Encodes with the stream that the assignment's seed gives codecs.</summary>
    /// <param name="update">d finite coordinates.</param>
    /// <param name="seed">The assignment's.</param>
    /// <returns>Bytes written.</returns>
    public static int EncodeTask<T>(this IUpdateEncoder<T> encoder, ReadOnlySpan<T> update, ulong seed, IBufferWriter<byte> output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return encoder.Encode(update, SeededRandom.Derive(seed, "codec"), output);
    }
}
