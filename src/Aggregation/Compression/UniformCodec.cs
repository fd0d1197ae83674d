using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Compression.Wire;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression;

/// <summary>Stochastic uniform quantisation to 8, 4, 2 or 1 bit: evenly spaced levels up to the bucket's largest magnitude.</summary>
/// <remarks>
/// Suresh, Yu, Kumar, McMahan, "Distributed Mean Estimation with Limited Communication", ICML 2017, section 2, https://arxiv.org/abs/1611.00429
/// (stochastic k-level); two bits are TernGrad (Wen et al., NeurIPS 2017), one bit is its stochastic sign.
/// Deviation: levels are symmetric, −m … m with m = max |x|, so that 0 is a level (except for one bit), where the paper spans min … max.
/// With b bits c = 2^(b−1) − 1 levels lie above 0 (c = ½ for one bit: −m and m only). Unbiased to 2⁻²⁴ of a level, with
/// ω = min(B/(4c²), √B/c) for buckets of B, B − 1 for one bit.
/// <para>
/// Header parameter: b. Body: bucket length B (u32); ⌈d/B⌉ scales m; d codes of b bits; code q stands for (q − c)·m/c.
/// Size: 16 + ⌈d/B⌉·(bytes per value) + ⌈d·b/8⌉, always.
/// </para>
/// Cost: one pass; decodes about as fast as memory delivers.
/// </remarks>
public sealed class UniformCodec<T> : IUpdateCodec<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ScaledBuckets<T> buckets;
    private readonly UniformOptions options;
    private readonly double variance;

    public UniformCodec(UniformOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Bits is not (1 or 2 or 4 or 8))
        {
            throw new AggregationException($"Uniform quantisation needs Bits of 1, 2, 4 or 8, they were {options.Bits}.");
        }

        this.options = options;
        var levels = options.Bits == 1 ? 0.5 : (1 << (options.Bits - 1)) - 1;
        variance = options.Bits == 1 ? options.Bucket - 1 : Math.Min(options.Bucket / (4 * levels * levels), Math.Sqrt(options.Bucket) / levels);
        buckets = new ScaledBuckets<T>(options.Bucket, levels, BucketScale.Largest, options.Contractive ? 1 / (1 + variance) : 1);
    }

    public string Name => UpdateCodecs.Uniform;

    public bool IsFixedSize => true;

    public long MaximumWireSize(int dimension) => buckets.FixedSize(dimension);

    public CodecGuarantee Guarantee(int dimension) => options.Contractive
        ? CodecGuarantee.Contractive(1 / (1 + variance))
        : CodecGuarantee.Unbiased(variance);

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentNullException.ThrowIfNull(output);
        return buckets.EncodeFixed(update, MessageCodec.Uniform, (byte)options.Bits, random, output);
    }

    public void Decode<TSink>(ReadOnlySpan<byte> message, int dimension, ref TSink sink)
        where TSink : IUpdateSink<T>, allows ref struct =>
        buckets.DecodeFixed(message, Name, MessageCodec.Uniform, (byte)options.Bits, dimension, ref sink);
}
