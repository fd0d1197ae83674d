using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression;

/// <summary>
/// Turns an update into bytes and bytes into additions. Decoding is fused with accumulation: a sink receives the update in small pieces,
/// so that a server adding n updates never holds a decoded copy of one.
/// </summary>
/// <remarks>
/// Stateless and safe to share between threads; memory from one update to the next is an <see cref="Feedback.IUpdateEncoder{T}"/>'s. Supported T:
/// float (values travel as F32) and double (as F64). The layout of every message is in <see cref="Wire.MessageHeader"/> and in the codec's
/// own remarks; everything is little-endian.
/// </remarks>
public interface IUpdateCodec<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The codec's name in <see cref="UpdateCodecs"/>.</summary>
    string Name { get; }

    /// <summary>True when every message for one dimension has <see cref="MaximumWireSize"/> bytes.</summary>
    bool IsFixedSize { get; }

    /// <summary>Most bytes of a message of <paramref name="dimension"/> coordinates, header included; a longer message is refused unread.</summary>
    long MaximumWireSize(int dimension);

    /// <summary>What decoding an encoded update gives, compared with the update.</summary>
    CodecGuarantee Guarantee(int dimension);

    /// <summary>Appends one message to <paramref name="output"/>.</summary>
    /// <param name="update">d finite coordinates.</param>
    /// <param name="random">Source of every random choice; the same state gives the same bytes.</param>
    /// <param name="output">Receives the message.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="AggregationException">A coordinate is NaN or infinite.</exception>
    int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output);

    /// <summary>Hands every coordinate that the message carries to the sink, in ascending order.</summary>
    /// <param name="message">One whole message, from anybody: it is checked to its last bit before the sink sees anything.</param>
    /// <param name="dimension">d that the receiver expects.</param>
    /// <param name="sink">Receives the update; untouched when this throws.</param>
    /// <exception cref="AggregationException">The message is not one that this codec, so configured, writes for d coordinates.</exception>
    void Decode<TSink>(ReadOnlySpan<byte> message, int dimension, ref TSink sink)
        where TSink : IUpdateSink<T>, allows ref struct;
}

/// <summary>Takes a decoded update in pieces. Coordinates that are in no piece are 0.</summary>
public interface IUpdateSink<T>
    where T : unmanaged
{
    /// <summary>Coordinates <paramref name="offset"/>, offset + 1, …; at most <see cref="UpdateCodecs.BlockLength"/> of them.</summary>
    void AddBlock(int offset, scoped ReadOnlySpan<T> values);

    /// <summary>Coordinates at strictly ascending <paramref name="indices"/>; at most <see cref="UpdateCodecs.BlockLength"/> of them.</summary>
    void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<T> values);
}

/// <summary>How far C(x), the decoded update, is from x; expectations are over the codec's own randomness, for every x.</summary>
/// <param name="IsUnbiased">E C(x) = x.</param>
/// <param name="Variance">ω with E‖C(x) − x‖² ≤ ω‖x‖².</param>
/// <param name="Contraction">δ with E‖C(x) − x‖² ≤ (1 − δ)‖x‖²; 0 when there is none, and error feedback cannot rest on the codec.</param>
public readonly record struct CodecGuarantee(bool IsUnbiased, double Variance, double Contraction)
{
    /// <summary>Of an unbiased codec with variance ω.</summary>
    public static CodecGuarantee Unbiased(double variance) => new(true, variance, Math.Max(0, 1 - variance));

    /// <summary>Of a biased codec with contraction δ.</summary>
    public static CodecGuarantee Contractive(double contraction) => new(false, 1 - contraction, contraction);
}
