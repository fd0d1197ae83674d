using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using Federated.Aggregation.Compression.Kernels;
using Federated.Aggregation.Compression.Wire;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression;

/// <summary>Random-k: k uniformly random coordinates; which ones follows from a seed, so that 8 bytes stand for all indices.</summary>
/// <remarks>
/// Wangni et al., "Gradient Sparsification", NeurIPS 2018, and Stich, Cordonnier, Jaggi, NeurIPS 2018 (rand-k). Scaled by d/k it is unbiased
/// with ω = d/k − 1; unscaled it is biased with contraction k/d in expectation.
/// Body: seed (u64); k (u32); k values in ascending index order. The header's parameter is 1 when values are scaled by d/k, else 0.
/// The indices: Floyd's sample, <see cref="IndexSampling"/>.
/// Size: 24 + k·(bytes per value), always. Cost: O(k + d/64) either way, d/8 bytes of scratch.
/// A client chooses its seed: against clients who lie, this codec protects no better than any other.
/// </remarks>
public sealed class RandomKCodec<T>(RandomKOptions options) : IUpdateCodec<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int CountOffset = MessageHeader.Length + sizeof(ulong);
    private const int ValuesOffset = CountOffset + sizeof(uint);

    private readonly double ratio = CompressionGuards.Ratio(options.Ratio, UpdateCodecs.RandomK);
    private readonly byte parameter = options.Unbiased ? (byte)1 : (byte)0;
    private readonly ElementType type = CompressionGuards.WireType<T>();

    public string Name => UpdateCodecs.RandomK;

    public bool IsFixedSize => true;

    /// <summary>k for d coordinates.</summary>
    public int Kept(int dimension) => CompressionGuards.Kept(ratio, dimension);

    public long MaximumWireSize(int dimension) => ValuesOffset + ((long)Kept(dimension) * type.Size());

    public CodecGuarantee Guarantee(int dimension)
    {
        var share = dimension == 0 ? 1 : (double)Kept(dimension) / dimension;
        return parameter == 1 ? CodecGuarantee.Unbiased((1 / share) - 1) : CodecGuarantee.Contractive(share);
    }

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentNullException.ThrowIfNull(output);
        CompressionGuards.ThrowIfNotFinite(update);
        var k = Kept(update.Length);
        var size = checked((int)MaximumWireSize(update.Length));
        var message = output.GetSpan(size)[..size];
        var seed = random.NextUInt64();
        MessageHeader.Write(message, MessageCodec.RandomK, type, parameter, update.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(message[MessageHeader.Length..], seed);
        BinaryPrimitives.WriteInt32LittleEndian(message[CountOffset..], k);
        var indices = ArrayPool<int>.Shared.Rent(Math.Max(1, k));
        IndexSampling.Sample(seed, update.Length, indices.AsSpan(0, k));
        Span<T> block = stackalloc T[UpdateCodecs.BlockLength];
        var scale = parameter == 1 ? T.CreateTruncating((double)update.Length / Math.Max(1, k)) : T.One;
        for (var start = 0; start < k; start += block.Length)
        {
            var part = block[..Math.Min(block.Length, k - start)];
            for (var i = 0; i < part.Length; i++)
            {
                part[i] = update[indices[start + i]] * scale;
            }

            CompressionGuards.ThrowIfNotFinite<T>(part);
            ElementConversion.Encode<T>(type, part, message.Slice(ValuesOffset + (start * type.Size()), part.Length * type.Size()));
        }

        ArrayPool<int>.Shared.Return(indices);
        output.Advance(size);
        return size;
    }

    public void Decode<TSink>(ReadOnlySpan<byte> message, int dimension, ref TSink sink)
        where TSink : IUpdateSink<T>, allows ref struct
    {
        var size = MaximumWireSize(dimension);
        var body = MessageHeader.Check(message, Name, MessageCodec.RandomK, type, parameter, dimension, size);
        MessageHeader.Require(message.Length == size, $"{size} bytes", message.Length);
        var seed = BinaryPrimitives.ReadUInt64LittleEndian(body);
        var k = Kept(dimension);
        SparseBody.Split(body[sizeof(ulong)..], k, type, out var values, out _);
        Span<T> block = stackalloc T[UpdateCodecs.BlockLength];
        for (var start = 0; start < k; start += block.Length)
        {
            var part = block[..Math.Min(block.Length, k - start)];
            Read(values, start, part);
            CompressionGuards.ThrowIfReceivedNotFinite<T>(part, "value");
        }

        var indices = ArrayPool<int>.Shared.Rent(Math.Max(1, k));
        IndexSampling.Sample(seed, dimension, indices.AsSpan(0, k));
        for (var start = 0; start < k; start += block.Length)
        {
            var part = block[..Math.Min(block.Length, k - start)];
            Read(values, start, part);
            sink.AddSparse(indices.AsSpan(start, part.Length), part);
        }

        ArrayPool<int>.Shared.Return(indices);
    }

    private void Read(ReadOnlySpan<byte> values, int start, scoped Span<T> part) =>
        ElementConversion.Decode(type, values.Slice(start * type.Size(), part.Length * type.Size()), part);
}
