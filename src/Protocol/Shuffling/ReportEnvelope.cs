using System.Buffers.Binary;
using System.Text;
using Federated.Privacy.Hpke;

namespace Federated.Protocol.Shuffling;

/// <summary>
/// A report in envelopes: sealed to the coordinator, that to each shuffler from the last to the first, the first with the ticket beside it. All of
/// a batch have one size, whatever is in them.
/// </summary>
/// <remarks>
/// <code>
/// report    = length (4 bytes, little-endian) | payload | zeros, ReportBytes in all
/// sealed    = HPKE to the coordinator, info "federated shuffle report v1", associated data RUN LF BATCH LF RANDOMIZER
/// inner     = sealed, then once for each shuffler behind the first, from the last: HPKE to it, info "federated shuffle hop v1", the same associated data
///             but without RANDOMIZER
/// envelope  = 1 | HPKE to the first shuffler, info "federated shuffle envelope v1", associated data the byte 1, of
///             ticket length (2 bytes, little-endian) | ticket | zeros up to 1024 bytes of ticket | inner
/// </code>
/// HPKE is RFC 9180's single-shot base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM: 81 bytes more than went in.
/// </remarks>
public static class ReportEnvelope
{
    public const string ContentType = "application/vnd.federated.report";

    /// <summary>First byte of an envelope.</summary>
    public const byte Version = 1;

    /// <summary>Bytes before the payload of a report.</summary>
    public const int LengthBytes = 4;

    /// <summary>Room for a ticket.</summary>
    public const int TicketBytes = 1024;

    private const int TicketRoom = 2 + TicketBytes;

    private static ReadOnlySpan<byte> ReportInfo => "federated shuffle report v1"u8;

    private static ReadOnlySpan<byte> HopInfo => "federated shuffle hop v1"u8;

    private static ReadOnlySpan<byte> EnvelopeInfo => "federated shuffle envelope v1"u8;

    /// <summary>Bytes of a report that is sealed to the coordinator and to so many shufflers behind the first.</summary>
    public static int InnerBytes(int reportBytes, int hops) => reportBytes + ((1 + hops) * HpkeSuite.Overhead);

    /// <summary>Bytes of an envelope around so many.</summary>
    public static int EnvelopeBytes(int innerBytes) => 1 + HpkeSuite.Overhead + TicketRoom + innerBytes;

    /// <summary>Bytes of the envelope of every report of a ticket's batch.</summary>
    public static long EnvelopeBytes(ShuffleTicket ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        return EnvelopeBytes(0) + (long)ticket.ReportBytes + ((1L + ticket.Hops) * HpkeSuite.Overhead);
    }

    /// <summary>Bytes that an envelope of so many holds.</summary>
    public static int InnerBytesOf(int envelopeBytes) => envelopeBytes - EnvelopeBytes(0);

    /// <summary>Seals a payload for its way.</summary>
    /// <param name="randomizer">Names the randomiser and its parameters; the coordinator expects the same.</param>
    /// <param name="shufflers">First to last; at least one.</param>
    public static byte[] Seal(
        ReadOnlySpan<byte> payload, int reportBytes, string run, string batch, string randomizer, ReadOnlySpan<byte> ticket, HpkePublicKey analyzer, IReadOnlyList<HpkePublicKey> shufflers)
    {
        ArgumentNullException.ThrowIfNull(shufflers);
        var inner = SealInner(payload, reportBytes, run, batch, randomizer, analyzer, shufflers);
        if (ticket.Length > TicketBytes)
        {
            throw new ArgumentException($"A ticket has at most {TicketBytes} bytes; this one has {ticket.Length}.", nameof(ticket));
        }

        var content = new byte[TicketRoom + inner.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(content, (ushort)ticket.Length);
        ticket.CopyTo(content.AsSpan(2));
        inner.CopyTo(content, TicketRoom);
        return [Version, .. Hpke.Seal(shufflers[0], EnvelopeInfo, [Version], content)];
    }

    /// <summary>What the first shuffler opens.</summary>
    /// <returns>False when it is no envelope for this key.</returns>
    public static bool TryOpenEnvelope(HpkePrivateKey shuffler, ReadOnlySpan<byte> envelope, out ReadOnlyMemory<byte> ticket, out ReadOnlyMemory<byte> inner)
    {
        (ticket, inner) = (default, default);
        if (envelope.Length < EnvelopeBytes(0) || envelope[0] != Version)
        {
            return false;
        }

        var content = GC.AllocateUninitializedArray<byte>(envelope.Length - 1 - HpkeSuite.Overhead);
        return Hpke.TryOpen(shuffler, EnvelopeInfo, [Version], envelope[1..], content) && TrySplit(content, out ticket, out inner);
    }

    /// <summary>What the first shuffler opens, at most <see cref="Hpke.OpenedTogether"/> at once: cheaper than one by one.</summary>
    /// <param name="opened">For each envelope its ticket and what is inside; null when it is no envelope for this key.</param>
    public static void OpenEnvelopes(HpkePrivateKey shuffler, ReadOnlySpan<byte[]> envelopes, Span<(ReadOnlyMemory<byte> Ticket, ReadOnlyMemory<byte> Inner)?> opened)
    {
        var messages = new ReadOnlyMemory<byte>[envelopes.Length];
        var contents = new Memory<byte>[envelopes.Length];
        for (var i = 0; i < envelopes.Length; i++)
        {
            if (envelopes[i].Length >= EnvelopeBytes(0) && envelopes[i][0] == Version)
            {
                messages[i] = envelopes[i].AsMemory(1); // An empty message stays for any other, and does not open.
                contents[i] = GC.AllocateUninitializedArray<byte>(messages[i].Length - HpkeSuite.Overhead);
            }
        }

        Span<bool> isOpen = stackalloc bool[Hpke.OpenedTogether];
        Hpke.OpenTogether(shuffler, EnvelopeInfo, [Version], messages, contents, isOpen);
        for (var i = 0; i < envelopes.Length; i++)
        {
            opened[i] = isOpen[i] && TrySplit(contents[i], out var ticket, out var inner) ? (ticket, inner) : null;
        }
    }

    /// <summary>What a shuffler behind the first opens.</summary>
    /// <returns>Null when it was not sealed to this key for this batch.</returns>
    public static byte[]? TryOpenHop(HpkePrivateKey shuffler, string run, string batch, ReadOnlySpan<byte> message)
    {
        if (message.Length < HpkeSuite.Overhead)
        {
            return null;
        }

        var inner = GC.AllocateUninitializedArray<byte>(message.Length - HpkeSuite.Overhead);
        return Hpke.TryOpen(shuffler, HopInfo, Associated(run, batch), message, inner) ? inner : null;
    }

    /// <summary>What the coordinator opens.</summary>
    /// <returns>The payload; null when it was not sealed to this key for this batch and randomiser, or is not of the batch's size.</returns>
    public static ReadOnlyMemory<byte>? TryOpenReport(HpkePrivateKey analyzer, string run, string batch, string randomizer, int reportBytes, ReadOnlySpan<byte> message)
    {
        if (message.Length != InnerBytes(reportBytes, 0))
        {
            return null;
        }

        var report = GC.AllocateUninitializedArray<byte>(reportBytes);
        return Hpke.TryOpen(analyzer, ReportInfo, Associated(run, batch, randomizer), message, report) ? PayloadOf(report) : null;
    }

    /// <summary>What the coordinator opens, at most <see cref="Hpke.OpenedTogether"/> at once: cheaper than one by one.</summary>
    /// <param name="messages">One after the other, each as long as the batch's reports are.</param>
    /// <param name="reports">Room for so many times <paramref name="reportBytes"/>, where the payloads will lie.</param>
    /// <param name="payloads">For each message its payload; null as in <see cref="TryOpenReport"/>.</param>
    public static void OpenReports(
        HpkePrivateKey analyzer, string run, string batch, string randomizer, int reportBytes, ReadOnlyMemory<byte> messages, Memory<byte> reports, Span<ReadOnlyMemory<byte>?> payloads)
    {
        var size = InnerBytes(reportBytes, 0);
        var each = new ReadOnlyMemory<byte>[payloads.Length];
        var opened = new Memory<byte>[payloads.Length];
        for (var i = 0; i < each.Length; i++)
        {
            (each[i], opened[i]) = (messages.Slice(i * size, size), reports.Slice(i * reportBytes, reportBytes));
        }

        Span<bool> isOpen = stackalloc bool[Hpke.OpenedTogether];
        Hpke.OpenTogether(analyzer, ReportInfo, Associated(run, batch, randomizer), each, opened, isOpen);
        for (var i = 0; i < each.Length; i++)
        {
            payloads[i] = isOpen[i] ? PayloadOf(opened[i]) : null;
        }
    }

    private static bool TrySplit(Memory<byte> content, out ReadOnlyMemory<byte> ticket, out ReadOnlyMemory<byte> inner)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(content.Span);
        (ticket, inner) = length <= TicketBytes ? (content.Slice(2, length), content[TicketRoom..]) : (default, default);
        return length <= TicketBytes;
    }

    private static ReadOnlyMemory<byte>? PayloadOf(Memory<byte> report)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(report.Span);
        return length < 0 || length > report.Length - LengthBytes ? null : report.Slice(LengthBytes, length);
    }

    private static byte[] SealInner(
        ReadOnlySpan<byte> payload, int reportBytes, string run, string batch, string randomizer, HpkePublicKey analyzer, IReadOnlyList<HpkePublicKey> shufflers)
    {
        if (payload.Length > reportBytes - LengthBytes)
        {
            throw new ArgumentException($"A report of this batch holds {reportBytes - LengthBytes} bytes; this one has {payload.Length}.", nameof(payload));
        }

        var report = new byte[reportBytes];
        BinaryPrimitives.WriteInt32LittleEndian(report, payload.Length);
        payload.CopyTo(report.AsSpan(LengthBytes));
        var inner = Hpke.Seal(analyzer, ReportInfo, Associated(run, batch, randomizer), report);
        for (var hop = shufflers.Count - 1; hop > 0; hop--)
        {
            inner = Hpke.Seal(shufflers[hop], HopInfo, Associated(run, batch), inner);
        }

        return inner;
    }

    private static byte[] Associated(params ReadOnlySpan<string> parts) => Encoding.UTF8.GetBytes(string.Join('\n', parts!));
}
