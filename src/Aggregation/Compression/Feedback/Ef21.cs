using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>EF21: the difference between the update and a shift is sent, and the shift follows by what was sent.</summary>
/// <remarks>
/// Richtárik, Sokolov, Fatkhullin, "EF21: A New, Simpler, Theoretically Better, and Practically Faster Error Feedback", NeurIPS 2021,
/// Algorithm 2, https://arxiv.org/abs/2106.05203: c = C(u − h), h ← h + c; the server keeps the mean of all clients' shifts and steps along
/// it: <see cref="ShiftedMean{T}"/>, not a mean, must combine these messages.
/// Deviation: u is the client's update where the paper has its gradient; h starts at 0 unless <see cref="State"/> says otherwise.
/// Cost: two vectors of d on the client (h, and h as it will be), one on the server for all clients.
/// </remarks>
public sealed class Ef21<T>(IUpdateCodec<T> codec, int dimension) : IUpdateEncoder<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly PendingMemory<T> memory = new(codec, dimension, UpdateCodecs.Ef21, "shift");
    private readonly MessageBuffer buffer = new();

    public string Name => UpdateCodecs.Ef21;

    public IUpdateCodec<T> Codec { get; } = codec;

    public IReadOnlyDictionary<string, Memory<T>> State => memory.State;

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        memory.Check(update);
        var shift = memory.Next(0);
        PendingMemory<T>.AddScaled(update, -T.One, memory.Committed(0), shift);
        var message = buffer.Encode<T>(Codec, shift, random, output);
        memory.Committed(0).CopyTo(shift);
        var add = new VectorSink<T>(shift, T.One);
        Codec.Decode(message, shift.Length, ref add);
        memory.Staged();
        return message.Length;
    }

    public void Commit() => memory.Commit();

    public void Discard() => memory.Discard();
}
