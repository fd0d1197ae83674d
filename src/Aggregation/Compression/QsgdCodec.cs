using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using Federated.Aggregation.Compression.Wire;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression;

/// <summary>QSGD: |x_j|/‖x‖₂ rounded at random to one of s + 1 levels, so that the expectation is the update.</summary>
/// <remarks>
/// Alistarh, Grubic, Li, Tomioka, Vojnovic, "QSGD: Communication-Efficient SGD via Gradient Quantization and Encoding", NeurIPS 2017, section
/// 3.1 and, for buckets, section 4 (numbering from memory), https://arxiv.org/abs/1610.02132. With r = s·|x_j|/‖x‖₂ and l = ⌊r⌋, level l + 1
/// with probability r − l, else l; Q_j = ‖x‖₂·sign(x_j)·level/s. ω = min(B/s², √B/s) for buckets of B. Unbiased to 2⁻²⁴ of a level.
/// Deviation: norms are per bucket always; a draw has 23 bits.
/// <para>
/// Header parameter: s. Fixed width: bucket length (u32); norms; codes level + s (sign applied to the level) of b = ⌈log₂(2s + 1)⌉ bits.
/// Size: 16 + ⌈d/B⌉·(bytes per value) + ⌈d·b/8⌉, always.
/// </para>
/// <para>
/// Elias: bucket length (u32); norms; number of levels other than 0 (u32); for each of these in order, the Elias omega code of its distance
/// from the one before (the first: of its index + 1), a sign bit (1 is negative), the Elias omega code of its level. Size: at most 20 +
/// ⌈d/B⌉·(bytes per value) + ⌈d·(2 + length of s's code)/8⌉.
/// </para>
/// Cost: one pass; fixed width decodes about as fast as memory delivers.
/// </remarks>
public sealed class QsgdCodec<T> : IUpdateCodec<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ScaledBuckets<T> buckets;
    private readonly QsgdOptions options;
    private readonly double variance;
    private readonly int longestLevel;

    public QsgdCodec(QsgdOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Levels is < 1 or > 127)
        {
            throw new AggregationException($"QSGD needs Levels from 1 to 127, they were {options.Levels}.");
        }

        this.options = options;
        variance = Math.Min((double)options.Bucket / (options.Levels * options.Levels), Math.Sqrt(options.Bucket) / options.Levels);
        buckets = new ScaledBuckets<T>(options.Bucket, options.Levels, BucketScale.Norm, options.Contractive ? 1 / (1 + variance) : 1);
        longestLevel = Enumerable.Range(1, options.Levels).Max(EliasOmega.Length);
    }

    public string Name => UpdateCodecs.Qsgd;

    public bool IsFixedSize => options.Coding == QsgdCoding.Fixed;

    public long MaximumWireSize(int dimension) => options.Coding == QsgdCoding.Fixed
        ? buckets.FixedSize(dimension)
        : buckets.CodesOffset(dimension) + sizeof(uint) + ((((long)dimension * (2 + longestLevel)) + 7) / 8);

    public CodecGuarantee Guarantee(int dimension) => options.Contractive
        ? CodecGuarantee.Contractive(1 / (1 + variance))
        : CodecGuarantee.Unbiased(variance);

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentNullException.ThrowIfNull(output);
        return options.Coding == QsgdCoding.Fixed
            ? buckets.EncodeFixed(update, MessageCodec.QsgdFixed, (byte)options.Levels, random, output)
            : EncodeElias(update, random, output);
    }

    public void Decode<TSink>(ReadOnlySpan<byte> message, int dimension, ref TSink sink)
        where TSink : IUpdateSink<T>, allows ref struct
    {
        if (options.Coding == QsgdCoding.Fixed)
        {
            buckets.DecodeFixed(message, Name, MessageCodec.QsgdFixed, (byte)options.Levels, dimension, ref sink);
            return;
        }

        MessageHeader.Check(message, Name, MessageCodec.QsgdElias, buckets.Type, (byte)options.Levels, dimension, MaximumWireSize(dimension));
        var offset = buckets.CodesOffset(dimension) + sizeof(uint);
        MessageHeader.Require(message.Length >= offset, $"at least {offset} bytes", message.Length);
        buckets.CheckScales(message, dimension);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(message[((int)offset - sizeof(uint))..]);
        MessageHeader.Require(count <= (uint)dimension, $"at most {dimension} levels", count);
        Span<int> indices = stackalloc int[UpdateCodecs.BlockLength];
        Span<T> values = stackalloc T[UpdateCodecs.BlockLength];
        var reader = new BitReader(message[(int)offset..]);
        var previous = -1;
        for (var start = 0; start < count; start += indices.Length)
        {
            Read(ref reader, message, dimension, ref previous, indices[..(int)Math.Min(indices.Length, count - start)], values);
        }

        reader.RequireEnd();
        reader = new BitReader(message[(int)offset..]);
        previous = -1;
        for (var start = 0; start < count; start += indices.Length)
        {
            var part = indices[..(int)Math.Min(indices.Length, count - start)];
            Read(ref reader, message, dimension, ref previous, part, values);
            sink.AddSparse(part, values[..part.Length]);
        }
    }

    private int EncodeElias(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        CompressionGuards.ThrowIfNotFinite(update);
        var offset = (int)buckets.CodesOffset(update.Length);
        var head = ArrayPool<byte>.Shared.Rent(offset + sizeof(uint));
        var codes = ArrayPool<byte>.Shared.Rent(Math.Max(1, update.Length));
        MessageHeader.Write(head, MessageCodec.QsgdElias, buckets.Type, (byte)options.Levels, update.Length);
        buckets.Quantise(update, random, head, (start, block) => block.Span.CopyTo(codes.AsSpan(start)));
        var writer = new BitWriter(update.Length / 8);
        var previous = -1;
        var count = 0;
        for (var j = 0; j < update.Length; j++)
        {
            var level = codes[j] - options.Levels;
            if (level != 0)
            {
                EliasOmega.Write(ref writer, j - previous);
                writer.Write(level < 0 ? 1u : 0u, 1);
                EliasOmega.Write(ref writer, Math.Abs(level));
                previous = j;
                count++;
            }
        }

        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(offset), count);
        var bits = writer.Finish();
        var size = offset + sizeof(uint) + bits.Length;
        var message = output.GetSpan(size)[..size];
        head.AsSpan(0, offset + sizeof(uint)).CopyTo(message);
        bits.CopyTo(message[(offset + sizeof(uint))..]);
        output.Advance(size);
        writer.Release();
        ArrayPool<byte>.Shared.Return(head);
        ArrayPool<byte>.Shared.Return(codes);
        return size;
    }

    private void Read(ref BitReader reader, ReadOnlySpan<byte> message, int dimension, ref int previous, scoped Span<int> indices, scoped Span<T> values)
    {
        for (var i = 0; i < indices.Length; i++)
        {
            var distance = EliasOmega.Read(ref reader);
            if (distance > dimension - 1 - previous)
            {
                throw new AggregationException($"The encoded update names coordinate {previous + (long)distance}; there are {dimension}.");
            }

            previous += distance;
            var negative = reader.Read(1) == 1;
            var level = EliasOmega.Read(ref reader);
            MessageHeader.Require(level <= options.Levels, $"levels up to {options.Levels}", level);
            indices[i] = previous;
            values[i] = T.CreateTruncating(negative ? -level : level) * buckets.Step(message, previous);
        }
    }
}
