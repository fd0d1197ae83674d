using Federated.Protocol;

namespace Federated.Client.Store;

/// <summary>
/// What a client keeps of one run: its memory (the objective's state, the codec's), and the update that is finished but has no outcome
/// yet, with the memory as it will be if that update is accepted.
/// </summary>
/// <remarks>
/// The order of calls: <see cref="WritePart"/> for each blob, <see cref="Stage"/>, and after the outcome <see cref="Accept"/> or
/// <see cref="Discard"/>. Each is atomic: a crash leaves the state before or after it. Both ends may be called again after a crash.
/// </remarks>
public interface IRunStore
{
    /// <summary>The update that waits for its outcome; null when there is none.</summary>
    PendingUpdate? Pending { get; }

    /// <summary>Stores a blob of the update to come.</summary>
    BlobReference WritePart(Action<Stream> write);

    /// <summary>Opens a blob of the pending update; it can seek.</summary>
    Stream OpenPart(BlobReference part);

    /// <summary>Opens the memory; null when there is none yet.</summary>
    Stream? OpenMemory();

    /// <summary>Makes the update pending, with all parts written since the last one ended.</summary>
    /// <param name="writeMemory">Writes the memory as it will be once the update is accepted; null for no memory.</param>
    void Stage(PendingUpdate pending, Action<Stream>? writeMemory);

    /// <summary>The coordinator took the update: its memory is the client's memory now.</summary>
    void Accept();

    /// <summary>The coordinator will never take the update: its memory is dropped.</summary>
    void Discard();
}
