using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>Encodes, and gives back the bytes: an encoder with memory must see what the server will see.</summary>
internal sealed class MessageBuffer
{
    private readonly ArrayBufferWriter<byte> buffer = new();

    public ReadOnlySpan<byte> Encode<T>(IUpdateCodec<T> codec, ReadOnlySpan<T> vector, SeededRandom random, IBufferWriter<byte> output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(output);
        buffer.ResetWrittenCount();
        codec.Encode(vector, random, buffer);
        output.Write(buffer.WrittenSpan);
        return buffer.WrittenSpan;
    }
}
