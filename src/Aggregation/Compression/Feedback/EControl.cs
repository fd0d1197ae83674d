using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>EControl: EF21 that also feeds back, with a controlled strength, the error it has accumulated.</summary>
/// <remarks>
/// Gao, Islamov, Stich, "EControl: Fast Distributed Optimization with Compression and Error Control", ICLR 2024, Algorithm 2 (numbering from
/// memory), https://arxiv.org/abs/2311.05645: c = C(η·e + u − h), e ← e + u − h − c, h ← h + c; the server as in EF21
/// (<see cref="ShiftedMean{T}"/>).
/// Deviation: u is the client's update where the paper has its gradient; h and e start at 0 unless <see cref="State"/> says otherwise (the
/// paper's h is the first gradient). The theory's η is about δ/400; practice takes far larger ones.
/// Cost: four vectors of d on the client. With η = 0 its messages are EF21's to the bit.
/// </remarks>
public sealed class EControl<T> : IUpdateEncoder<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Shift = 0;
    private const int Error = 1;

    private readonly PendingMemory<T> memory;
    private readonly MessageBuffer buffer = new();
    private readonly T strength;

    public EControl(EControlOptions options, IUpdateCodec<T> codec, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        strength = options.Strength is >= 0 and <= 1
            ? T.CreateTruncating(options.Strength)
            : throw new AggregationException($"EControl needs a Strength in [0, 1], it was {options.Strength}.");
        Codec = codec;
        memory = new PendingMemory<T>(codec, dimension, UpdateCodecs.EControl, "shift", "error");
    }

    public string Name => UpdateCodecs.EControl;

    public IUpdateCodec<T> Codec { get; }

    public IReadOnlyDictionary<string, Memory<T>> State => memory.State;

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        memory.Check(update);
        var shift = memory.Next(Shift);
        var error = memory.Next(Error);
        PendingMemory<T>.AddScaled(update, -T.One, memory.Committed(Shift), error);
        PendingMemory<T>.AddScaled(error, strength, memory.Committed(Error), shift);
        var message = buffer.Encode<T>(Codec, shift, random, output);
        PendingMemory<T>.AddScaled(error, T.One, memory.Committed(Error), error);
        memory.Committed(Shift).CopyTo(shift);
        var moves = new ShiftAndErrorSink(shift, error);
        Codec.Decode(message, shift.Length, ref moves);
        memory.Staged();
        return message.Length;
    }

    public void Commit() => memory.Commit();

    public void Discard() => memory.Discard();

    // h + c and e − c in one decoding.
    private readonly ref struct ShiftAndErrorSink(Span<T> shift, Span<T> error) : IUpdateSink<T>
    {
        private readonly VectorSink<T> shift = new(shift, T.One);
        private readonly VectorSink<T> error = new(error, -T.One);

        public void AddBlock(int offset, scoped ReadOnlySpan<T> values)
        {
            shift.AddBlock(offset, values);
            error.AddBlock(offset, values);
        }

        public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<T> values)
        {
            shift.AddSparse(indices, values);
            error.AddSparse(indices, values);
        }
    }
}
