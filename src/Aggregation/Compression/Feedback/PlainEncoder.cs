using System.Buffers;
using System.Collections.Immutable;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>Remembers nothing: what a message does not carry is lost. Right for unbiased codecs, and for clients that come only once.</summary>
public sealed class PlainEncoder<T>(IUpdateCodec<T> codec, int dimension) : IUpdateEncoder<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public string Name => UpdateCodecs.NoFeedback;

    public IUpdateCodec<T> Codec { get; } = codec;

    public IReadOnlyDictionary<string, Memory<T>> State => ImmutableDictionary<string, Memory<T>>.Empty;

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(update.Length, dimension);
        return Codec.Encode(update, random, output);
    }

    public void Commit()
    {
    }

    public void Discard()
    {
    }
}
