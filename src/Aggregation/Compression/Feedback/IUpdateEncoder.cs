using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>One client's way of encoding its updates, with what it remembers from one to the next.</summary>
/// <remarks>
/// A message may be lost, so memory moves in two steps. <see cref="Encode"/> leaves it as it is and keeps what it would become;
/// <see cref="Commit"/> makes that so, once the server has acknowledged the update. Until then the same bytes may be sent again.
/// <see cref="Discard"/>, or encoding again, forgets a message that the server will never count. Not thread-safe.
/// </remarks>
public interface IUpdateEncoder<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The feedback's name in <see cref="UpdateCodecs"/>.</summary>
    string Name { get; }

    /// <summary>The codec that writes the messages; the server decodes with one of the same options.</summary>
    IUpdateCodec<T> Codec { get; }

    /// <summary>Committed memory by name, d long each: what a client must store between the rounds it takes part in. Writable, to restore it.</summary>
    IReadOnlyDictionary<string, Memory<T>> State { get; }

    /// <summary>Appends one message to <paramref name="output"/>.</summary>
    /// <param name="update">d finite coordinates.</param>
    /// <param name="random">Source of the codec's random choices.</param>
    /// <param name="output">Receives the message.</param>
    /// <returns>Bytes written.</returns>
    int Encode(ReadOnlySpan<T> update, SeededRandom random, IBufferWriter<byte> output);

    /// <summary>The server has counted the last message.</summary>
    void Commit();

    /// <summary>The server will never count the last message.</summary>
    void Discard();
}
