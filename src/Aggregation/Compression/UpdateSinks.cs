using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Aggregation.Compression;

/// <summary>Adds factor × update to a vector of the same element type.</summary>
/// <param name="target">d coordinates.</param>
/// <param name="factor">What every value is multiplied by; 1 to add, −1 to subtract.</param>
public readonly ref struct VectorSink<T>(Span<T> target, T factor) : IUpdateSink<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Span<T> target = target;
    private readonly T factor = factor;

    public void AddBlock(int offset, scoped ReadOnlySpan<T> values)
    {
        var part = target.Slice(offset, values.Length);
        TensorPrimitives.MultiplyAdd(values, factor, part, part);
    }

    public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<T> values)
    {
        for (var i = 0; i < indices.Length; i++)
        {
            target[indices[i]] += factor * values[i];
        }
    }
}

/// <summary>Ways to decode without writing a sink.</summary>
public static class UpdateDecoding
{
    /// <summary>Writes the whole update.</summary>
    /// <param name="codec">The codec that wrote the message.</param>
    /// <param name="message">One message.</param>
    /// <param name="destination">d coordinates, overwritten; untouched when the message is refused.</param>
    public static void DecodeInto<T>(this IUpdateCodec<T> codec, ReadOnlySpan<byte> message, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(codec);
        var sink = new OverwritingSink<T>(destination);
        codec.Decode(message, destination.Length, ref sink);
        sink.Finish();
    }

    // Pieces come in ascending order, so that the gaps between them can be zeroed on the way.
    private ref struct OverwritingSink<T>(Span<T> target) : IUpdateSink<T>
        where T : unmanaged
    {
        private readonly Span<T> target = target;
        private int written;

        public void AddBlock(int offset, scoped ReadOnlySpan<T> values)
        {
            target[written..offset].Clear();
            values.CopyTo(target[offset..]);
            written = offset + values.Length;
        }

        public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<T> values)
        {
            for (var i = 0; i < indices.Length; i++)
            {
                target[written..indices[i]].Clear();
                target[indices[i]] = values[i];
                written = indices[i] + 1;
            }
        }

        public readonly void Finish() => target[written..].Clear();
    }
}
