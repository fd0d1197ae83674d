using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>Error feedback (EF14): what a message did not carry is added to the next update.</summary>
/// <remarks>
/// Seide, Fu, Droppo, Li, Yu, "1-Bit Stochastic Gradient Descent", Interspeech 2014; Karimireddy, Rebjock, Stich, Jaggi, "Error Feedback
/// Fixes SignSGD", ICML 2019, Algorithm 2, https://arxiv.org/abs/1901.09847: m = C(e + u), e ← e + u − m.
/// Deviation: u is the client's update where the paper has γ·g. The server adds messages up like updates.
/// Cost: two vectors of d on the client (e, and e as it will be). Guarantee: all that was ever sent, plus e, is the sum of all updates.
/// </remarks>
public sealed class ErrorFeedback<T>(IUpdateCodec<T> codec, int dimension) : IUpdateEncoder<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly PendingMemory<T> memory = new(codec, dimension, UpdateCodecs.ErrorFeedback, "error");
    private readonly MessageBuffer buffer = new();

    public string Name => UpdateCodecs.ErrorFeedback;

    public IUpdateCodec<T> Codec { get; } = codec;

    public IReadOnlyDictionary<string, Memory<T>> State => memory.State;

    public int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output)
    {
        memory.Check(update);
        var error = memory.Next(0);
        PendingMemory<T>.AddScaled(memory.Committed(0), T.One, update, error);
        var message = buffer.Encode<T>(Codec, error, random, output);
        var subtract = new VectorSink<T>(error, -T.One);
        Codec.Decode(message, error.Length, ref subtract);
        memory.Staged();
        return message.Length;
    }

    public void Commit() => memory.Commit();

    public void Discard() => memory.Discard();
}
