using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using Federated.Aggregation.Compression.Kernels;
using Federated.Aggregation.Compression.Wire;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression;

/// <summary>Top-k: the k coordinates of largest magnitude, the rest being 0; ties go to the lower index.</summary>
/// <remarks>
/// Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, Definition 2.1 (numbering from memory),
/// https://arxiv.org/abs/1809.07599. Deterministic, biased, contraction k/d: use it under error feedback.
/// <para>
/// Body: k (u32); k values in ascending index order; then the indices as Rice codes of their gaps g = index − previous − 1 (the previous of
/// the first is −1) with the header's parameter r: ⌊g/2^r⌋ one-bits, a zero-bit, and the r low bits of g, lowest first.
/// r = ⌊log₂ max(1, ⌊69d/(100k)⌋)⌋, about the best for indices spread evenly: 8.1 bits per index at 1 % instead of 32.
/// </para>
/// <para>
/// Size: at most 16 + k·(bytes per value) + ⌈(k(r + 1) + ⌊(d − k)/2^r⌋)/8⌉, whatever the indices.
/// Cost: O(d) to encode, O(k) to decode.
/// </para>
/// </remarks>
public sealed class TopKCodec<T>(TopKOptions options) : IUpdateCodec<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly double ratio = CompressionGuards.Ratio(options.Ratio, UpdateCodecs.TopK);
    private readonly ElementType type = CompressionGuards.WireType<T>();

    public string Name => UpdateCodecs.TopK;

    public bool IsFixedSize => false;

    /// <summary>k for d coordinates.</summary>
    public int Kept(int dimension) => CompressionGuards.Kept(ratio, dimension);

    public long MaximumWireSize(int dimension)
    {
        var k = (long)Kept(dimension);
        var r = RiceParameter(dimension, (int)k);
        return ValuesOffset + (k * type.Size()) + (((k * (r + 1)) + ((dimension - k) >> r) + 7) / 8);
    }

    public CodecGuarantee Guarantee(int dimension) =>
        dimension == 0 ? CodecGuarantee.Unbiased(0) : CodecGuarantee.Contractive((double)Kept(dimension) / dimension);

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        CompressionGuards.ThrowIfNotFinite(update);
        var k = Kept(update.Length);
        var r = RiceParameter(update.Length, k);
        var indices = ArrayPool<int>.Shared.Rent(Math.Max(1, k));
        var values = ArrayPool<T>.Shared.Rent(Math.Max(1, k));
        TopKSelection.Select(update, indices.AsSpan(0, k));
        var writer = new BitWriter(checked((int)MaximumWireSize(update.Length)));
        var next = 0;
        for (var i = 0; i < k; i++)
        {
            values[i] = update[indices[i]];
            var gap = (uint)(indices[i] - next);
            writer.WriteUnary(gap >> r);
            writer.Write(gap & ((1u << r) - 1), r);
            next = indices[i] + 1;
        }

        var codes = writer.Finish();
        var size = ValuesOffset + (k * type.Size()) + codes.Length;
        var message = output.GetSpan(size)[..size];
        MessageHeader.Write(message, MessageCodec.TopK, type, (byte)r, update.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message[MessageHeader.Length..], k);
        ElementConversion.Encode<T>(type, values.AsSpan(0, k), message.Slice(ValuesOffset, k * type.Size()));
        codes.CopyTo(message[(ValuesOffset + (k * type.Size()))..]);
        output.Advance(size);
        writer.Release();
        ArrayPool<int>.Shared.Return(indices);
        ArrayPool<T>.Shared.Return(values);
        return size;
    }

    public void Decode<TSink>(ReadOnlySpan<byte> message, int dimension, ref TSink sink)
        where TSink : IUpdateSink<T>, allows ref struct
    {
        var k = Kept(dimension);
        var r = RiceParameter(dimension, k);
        var body = MessageHeader.Check(message, Name, MessageCodec.TopK, type, (byte)r, dimension, MaximumWireSize(dimension));
        SparseBody.Split(body, k, type, out var values, out var codes);
        Span<int> indices = stackalloc int[UpdateCodecs.BlockLength];
        Span<T> block = stackalloc T[UpdateCodecs.BlockLength];
        var reader = new BitReader(codes);
        var next = 0;
        for (var start = 0; start < k; start += indices.Length)
        {
            var count = Math.Min(indices.Length, k - start);
            ReadIndices(ref reader, r, dimension, k - start, ref next, indices[..count]);
            ElementConversion.Decode(type, values.Slice(start * type.Size(), count * type.Size()), block[..count]);
            CompressionGuards.ThrowIfReceivedNotFinite<T>(block[..count], "value");
        }

        reader.RequireEnd();
        reader = new BitReader(codes);
        next = 0;
        for (var start = 0; start < k; start += indices.Length)
        {
            var count = Math.Min(indices.Length, k - start);
            ReadIndices(ref reader, r, dimension, k - start, ref next, indices[..count]);
            ElementConversion.Decode(type, values.Slice(start * type.Size(), count * type.Size()), block[..count]);
            sink.AddSparse(indices[..count], block[..count]);
        }
    }

    private const int ValuesOffset = MessageHeader.Length + sizeof(uint);

    private static int RiceParameter(int dimension, int kept) =>
        kept == 0 ? 0 : BitOperations.Log2((uint)Math.Max(1, 69L * dimension / (100L * kept)));

    // `left` indices, these among them, still have to find their places below d.
    private static void ReadIndices(ref BitReader reader, int r, int dimension, int left, ref int next, scoped Span<int> indices)
    {
        foreach (ref var index in indices)
        {
            var room = (uint)(dimension - next - left);
            var gap = ((ulong)reader.ReadUnary(room >> r) << r) | reader.Read(r);
            if (gap > room)
            {
                throw new AggregationException($"The encoded update names coordinate {next + (long)gap} with {left} of them still to come; there are {dimension}.");
            }

            index = next + (int)gap;
            next = index + 1;
            left--;
        }
    }
}
