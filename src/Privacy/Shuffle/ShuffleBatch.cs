using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle;

/// <summary>
/// The trusted step of the shuffle model, without I/O: takes fixed-size messages from clients, keeps nothing of who sent which, and emits a
/// whole batch in uniformly random order, once, and only when enough clients are in it.
/// </summary>
/// <remarks>
/// privacy.md §4.6, points 2 to 4. Amplification is a statement about batches of at least the minimum: a smaller one is never emitted. Each client
/// contributes the same number of messages, so that a count reveals nothing. Cost: O(messages). Mutable; one owner.
/// </remarks>
public sealed class ShuffleBatch
{
    private readonly List<byte[]> messages = [];

    /// <param name="minimumClients">B_min: the n that the guarantee was computed with, plus the clients assumed corrupted.</param>
    /// <param name="messagesPerClient">Messages that every client sends.</param>
    /// <param name="messageBytes">Size of every message.</param>
    public ShuffleBatch(int minimumClients, int messagesPerClient, int messageBytes)
    {
        if (minimumClients < 1 || messagesPerClient < 1 || messageBytes < 1)
        {
            throw new PrivacyException(
                $"A batch needs a minimum of clients, messages a client and bytes a message of 1 or more; they are {minimumClients}, {messagesPerClient}, {messageBytes}.");
        }

        (MinimumClients, MessagesPerClient, MessageBytes) = (minimumClients, messagesPerClient, messageBytes);
    }

    /// <summary>B_min.</summary>
    public int MinimumClients { get; }

    /// <summary>Messages of every client.</summary>
    public int MessagesPerClient { get; }

    /// <summary>Bytes of every message.</summary>
    public int MessageBytes { get; }

    /// <summary>Clients in the present batch.</summary>
    public int Clients { get; private set; }

    /// <summary>Whether the batch may be emitted.</summary>
    public bool IsComplete => Clients >= MinimumClients;

    /// <summary>Takes all messages of one client, or none.</summary>
    /// <param name="contribution">Exactly <see cref="MessagesPerClient"/> × <see cref="MessageBytes"/> bytes, copied.</param>
    public void Add(ReadOnlySpan<byte> contribution)
    {
        if (contribution.Length != MessagesPerClient * MessageBytes)
        {
            throw new PrivacyException(
                $"A contribution has {MessagesPerClient} messages of {MessageBytes} bytes; this one has {contribution.Length} bytes in all. Pad on the client.");
        }

        for (var i = 0; i < MessagesPerClient; i++)
        {
            messages.Add(contribution.Slice(i * MessageBytes, MessageBytes).ToArray());
        }

        Clients++;
    }

    /// <summary>The batch in uniformly random order; the next one starts empty.</summary>
    /// <exception cref="PrivacyException">Too few clients: hold the batch, or <see cref="Discard"/> it.</exception>
    public IReadOnlyList<ReadOnlyMemory<byte>> Emit(IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (!IsComplete)
        {
            throw new PrivacyException(
                $"The batch needs {MinimumClients} clients, the number that its guarantee was computed for, and has {Clients}: wait for more, or discard it.");
        }

        var batch = messages.ToArray();
        random.Shuffle(batch.AsSpan());
        Discard();
        return [.. batch.Select(m => (ReadOnlyMemory<byte>)m)];
    }

    /// <summary>Forgets the present batch without emitting anything.</summary>
    public void Discard()
    {
        messages.Clear();
        Clients = 0;
    }
}
