using System.Security.Cryptography;
using Federated.Protocol.Shuffling;

namespace Federated.Shuffler.Batches;

/// <summary>A report whose envelope was opened and whose ticket is good: what is kept of a request, and nothing more.</summary>
/// <param name="Ticket">As its coordinator wrote it.</param>
/// <param name="Inner">Sealed to whoever comes next.</param>
/// <param name="Digest">First 16 bytes of the inner ciphertext's SHA-256: a repetition is told from another report by it.</param>
public readonly record struct HeldReport(ShuffleTicket Ticket, ReadOnlyMemory<byte> Inner, UInt128 Digest)
{
    public static HeldReport Of(ShuffleTicket ticket, ReadOnlyMemory<byte> inner) => new(ticket, inner, DigestOf(inner.Span));

    internal static UInt128 DigestOf(ReadOnlySpan<byte> inner)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(inner, digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }
}

/// <summary>What became of a report.</summary>
public enum ReportOutcome
{
    /// <summary>Durable, now or before.</summary>
    Held,

    /// <summary>Another report came with this ticket before.</summary>
    Replayed,

    /// <summary>The ticket's time is over.</summary>
    Expired,

    /// <summary>The client has as many reports in the batch as it may.</summary>
    TooMany,

    /// <summary>The ticket asks for a batch that is smaller than this shuffler lets through.</summary>
    BatchTooSmall,

    /// <summary>The ticket does not agree with the batch's other tickets.</summary>
    OtherBatch,

    /// <summary>The report is not of its batch's size.</summary>
    WrongSize,
}
