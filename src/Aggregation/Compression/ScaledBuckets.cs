using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Federated.Aggregation.Compression.Kernels;
using Federated.Aggregation.Compression.Wire;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Compression;

/// <summary>What a bucket's levels reach up to.</summary>
internal enum BucketScale
{
    /// <summary>‖x‖₂ of the bucket (QSGD).</summary>
    Norm,

    /// <summary>max |x| of the bucket.</summary>
    Largest,
}

/// <summary>Coordinates in buckets, each with its scale and stochastically rounded codes: what QSGD and uniform quantisation share.</summary>
/// <remarks>
/// Body with codes of fixed width b: bucket length B (u32); ⌈d/B⌉ scales (the header's value type); d codes of b bits, one after the
/// other. Code q of a bucket with scale m stands for (q − c)·m/c.
/// </remarks>
internal sealed class ScaledBuckets<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public const int BucketOffset = MessageHeader.Length;
    public const int ScalesOffset = BucketOffset + sizeof(uint);

    private readonly int bucket;
    private readonly BucketScale rule;
    private readonly double shrink;

    /// <param name="bucket">B: a power of two from 64 to one block.</param>
    /// <param name="levels">c: ½, or a whole number from 1 to 127.</param>
    /// <param name="rule">What scale a bucket gets.</param>
    /// <param name="shrink">Factor on the scales that are sent, for a contractive codec; 1 for an unbiased one.</param>
    public ScaledBuckets(int bucket, double levels, BucketScale rule, double shrink)
    {
        if (bucket is < 64 or > UpdateCodecs.BlockLength || !BitOperations.IsPow2(bucket))
        {
            throw new AggregationException($"Quantising codecs need a Bucket that is a power of two from 64 to {UpdateCodecs.BlockLength}, it was {bucket}.");
        }

        this.bucket = bucket;
        this.rule = rule;
        this.shrink = shrink;
        Levels = T.CreateChecked(levels);
        Largest = (int)(2 * levels);
        Width = BitOperations.Log2((uint)Largest) + 1;
        Type = CompressionGuards.WireType<T>();
    }

    /// <summary>c.</summary>
    public T Levels { get; }

    /// <summary>2c, the largest code.</summary>
    public int Largest { get; }

    /// <summary>b, bits per code of fixed width.</summary>
    public int Width { get; }

    public ElementType Type { get; }

    public int Buckets(int dimension) => (int)(((long)dimension + bucket - 1) / bucket);

    /// <summary>Where the codes begin in a message.</summary>
    public long CodesOffset(int dimension) => ScalesOffset + ((long)Buckets(dimension) * Type.Size());

    public long FixedSize(int dimension) => CodesOffset(dimension) + BitPacking.Size(dimension, Width);

    /// <summary>Writes bucket length and scales into the message, and hands out the codes block by block.</summary>
    public void Quantise(ReadOnlySpan<T> update, SeededRandom random, Span<byte> message, Action<int, Memory<byte>> block)
    {
        BinaryPrimitives.WriteInt32LittleEndian(message[BucketOffset..], bucket);
        var lanes = new LaneRandom(random);
        var draws = ArrayPool<uint>.Shared.Rent(UpdateCodecs.BlockLength);
        var codes = ArrayPool<byte>.Shared.Rent(UpdateCodecs.BlockLength);
        for (var start = 0; start < update.Length; start += UpdateCodecs.BlockLength)
        {
            var length = Math.Min(UpdateCodecs.BlockLength, update.Length - start);
            lanes.Fill(draws.AsSpan(0, UpdateCodecs.BlockLength));
            for (var offset = 0; offset < length; offset += bucket)
            {
                var values = update.Slice(start + offset, Math.Min(bucket, length - offset));
                var scale = Scale(values);
                Quantisation.Round(values, scale, Levels, draws.AsSpan(offset), codes.AsSpan(offset, values.Length));
                WriteScale(message, (start + offset) / bucket, scale * T.CreateTruncating(shrink));
            }

            block(start, codes.AsMemory(0, length));
        }

        ArrayPool<uint>.Shared.Return(draws);
        ArrayPool<byte>.Shared.Return(codes);
    }

    /// <summary>Encodes with codes of fixed width.</summary>
    public int EncodeFixed(ReadOnlySpan<T> update, MessageCodec codec, byte parameter, SeededRandom random, IBufferWriter<byte> output)
    {
        CompressionGuards.ThrowIfNotFinite(update);
        var size = checked((int)FixedSize(update.Length));
        var memory = output.GetMemory(size)[..size];
        MessageHeader.Write(memory.Span, codec, Type, parameter, update.Length);
        var packed = memory[(int)CodesOffset(update.Length)..];
        Quantise(update, random, memory.Span, (start, codes) =>
            BitPacking.Pack(codes.Span, Width, packed.Span.Slice((int)BitPacking.Size(start, Width), (int)BitPacking.Size(codes.Length, Width))));
        output.Advance(size);
        return size;
    }

    /// <summary>Decodes codes of fixed width.</summary>
    public void DecodeFixed<TSink>(ReadOnlySpan<byte> message, string name, MessageCodec codec, byte parameter, int dimension, ref TSink sink)
        where TSink : IUpdateSink<T>, allows ref struct
    {
        var size = FixedSize(dimension);
        MessageHeader.Check(message, name, codec, Type, parameter, dimension, size);
        MessageHeader.Require(message.Length == size, $"{size} bytes", message.Length);
        CheckScales(message, dimension);
        var packed = message[(int)CodesOffset(dimension)..];
        if (!BitPacking.IsPaddingZero(packed, dimension, Width))
        {
            throw new AggregationException("The encoded update has set bits behind its last code; there may be only zeros.");
        }

        Span<byte> codes = stackalloc byte[UpdateCodecs.BlockLength];
        Span<T> values = stackalloc T[UpdateCodecs.BlockLength];
        if (Largest != (1 << Width) - 1)
        {
            for (var start = 0; start < dimension; start += codes.Length)
            {
                var part = codes[..Math.Min(codes.Length, dimension - start)];
                Unpack(packed, start, part);
                var largest = TensorPrimitives.Max<byte>(part);
                MessageHeader.Require(largest <= Largest, $"codes up to {Largest}", largest);
            }
        }

        for (var start = 0; start < dimension; start += codes.Length)
        {
            var part = codes[..Math.Min(codes.Length, dimension - start)];
            Unpack(packed, start, part);
            for (var offset = 0; offset < part.Length; offset += bucket)
            {
                var length = Math.Min(bucket, part.Length - offset);
                Quantisation.Restore(part.Slice(offset, length), Step(message, start + offset), Levels, values[offset..]);
            }

            sink.AddBlock(start, values[..part.Length]);
        }
    }

    /// <summary>Refuses another bucket length, and scales that are negative, NaN or infinite.</summary>
    public void CheckScales(ReadOnlySpan<byte> message, int dimension)
    {
        var found = BinaryPrimitives.ReadUInt32LittleEndian(message[BucketOffset..]);
        MessageHeader.Require(found == bucket, $"buckets of {bucket}", found);
        for (var b = 0; b < Buckets(dimension); b++)
        {
            var scale = ReadScale(message, b);
            if (!(scale >= T.Zero) || !T.IsFinite(scale))
            {
                throw new AggregationException($"The encoded update gives bucket {b} the scale {scale}; scales are finite and 0 or more.");
            }
        }
    }

    /// <summary>Distance between neighbouring levels in the bucket of coordinate <paramref name="index"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Step(ReadOnlySpan<byte> message, int index) => ReadScale(message, index / bucket) / Levels;

    private T Scale(ReadOnlySpan<T> values)
    {
        if (rule == BucketScale.Largest)
        {
            return T.Abs(TensorPrimitives.MaxMagnitude(values));
        }

        var norm = T.CreateTruncating(Math.Sqrt(SquaredLength.Of(values)));
        if (!T.IsFinite(norm))
        {
            throw new AggregationException("The norm of a bucket of the update is beyond the largest number of its type; clip the update.");
        }

        return norm;
    }

    private void Unpack(ReadOnlySpan<byte> packed, int start, scoped Span<byte> codes) =>
        BitPacking.Unpack(packed.Slice((int)BitPacking.Size(start, Width), (int)BitPacking.Size(codes.Length, Width)), Width, codes);

    private void WriteScale(Span<byte> message, int index, T scale) =>
        Unsafe.WriteUnaligned(ref message[ScalesOffset + (index * Type.Size())], scale);

    private T ReadScale(ReadOnlySpan<byte> message, int index) =>
        Unsafe.ReadUnaligned<T>(in message[ScalesOffset + (index * Type.Size())]);
}
