using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using Federated.Aggregation.Compression.Wire;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression;

/// <summary>Every coordinate as a floating-point number: unchanged, or as binary16 or bfloat16.</summary>
/// <remarks>
/// Body: d values of the header's type. Size: 12 + d·(bytes per value), always.
/// F16 and BF16 round to nearest, ties to even; magnitudes beyond the largest finite value become it. Contraction: 1 − 2⁻²² for F16,
/// 1 − 2⁻¹⁸ for BF16, over the type's normal range (F16: 6.1e-5 to 65,504; smaller coordinates lose up to 2⁻²⁵ each, absolutely).
/// Cost: one pass at memory speed.
/// </remarks>
public sealed class FloatingPointCodec<T> : IUpdateCodec<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ElementType type;

    private FloatingPointCodec(string name, ElementType type)
    {
        Name = name;
        this.type = type;
    }

    public string Name { get; }

    public bool IsFixedSize => true;

    /// <summary>Coordinates travel as they are.</summary>
    public static FloatingPointCodec<T> Identity() => new(UpdateCodecs.Identity, CompressionGuards.WireType<T>());

    /// <summary>Coordinates travel as binary16.</summary>
    public static FloatingPointCodec<T> Float16() => new(UpdateCodecs.Float16, ElementType.F16);

    /// <summary>Coordinates travel as bfloat16.</summary>
    public static FloatingPointCodec<T> BFloat16() => new(UpdateCodecs.BFloat16, ElementType.BF16);

    public long MaximumWireSize(int dimension) => MessageHeader.Length + ((long)dimension * type.Size());

    public CodecGuarantee Guarantee(int dimension) => type switch
    {
        ElementType.F16 => CodecGuarantee.Contractive(1 - Math.ScaleB(1, -22)),
        ElementType.BF16 => CodecGuarantee.Contractive(1 - Math.ScaleB(1, -18)),
        _ => CodecGuarantee.Unbiased(0),
    };

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        CompressionGuards.ThrowIfNotFinite(update);
        var size = checked((int)MaximumWireSize(update.Length));
        var message = output.GetSpan(size)[..size];
        MessageHeader.Write(message, MessageCodec.FloatingPoint, type, 0, update.Length);
        var body = message[MessageHeader.Length..];
        var largest = T.CreateSaturating(type.Largest());
        Span<T> block = stackalloc T[UpdateCodecs.BlockLength];
        for (var start = 0; start < update.Length; start += block.Length)
        {
            var part = block[..Math.Min(block.Length, update.Length - start)];
            TensorPrimitives.Clamp(update.Slice(start, part.Length), -largest, largest, part);
            ElementConversion.Encode<T>(type, part, body.Slice(start * type.Size(), part.Length * type.Size()));
        }

        output.Advance(size);
        return size;
    }

    public void Decode<TSink>(ReadOnlySpan<byte> message, int dimension, ref TSink sink)
        where TSink : IUpdateSink<T>, allows ref struct
    {
        var size = MaximumWireSize(dimension);
        var body = MessageHeader.Check(message, Name, MessageCodec.FloatingPoint, type, 0, dimension, size);
        MessageHeader.Require(message.Length == size, $"{size} bytes", message.Length);
        Span<T> block = stackalloc T[UpdateCodecs.BlockLength];
        for (var start = 0; start < dimension; start += block.Length)
        {
            var part = block[..Math.Min(block.Length, dimension - start)];
            Read(body, start, part);
            CompressionGuards.ThrowIfReceivedNotFinite<T>(part, "coordinate");
        }

        for (var start = 0; start < dimension; start += block.Length)
        {
            var part = block[..Math.Min(block.Length, dimension - start)];
            Read(body, start, part);
            sink.AddBlock(start, part);
        }
    }

    private void Read(ReadOnlySpan<byte> body, int start, scoped Span<T> part) =>
        ElementConversion.Decode(type, body.Slice(start * type.Size(), part.Length * type.Size()), part);
}
