using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Client.Session;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;

namespace Federated.Benchmarks.Fuzz;

/// <content>The way of a report: what a shuffler, the coordinator and, of the assignment that names the way, a client read.</content>
internal static partial class FuzzTargets
{
    private const int ReportBytes = 60;

    private static IEnumerable<FuzzTarget> Shuffling()
    {
        var (analyzer, first, second) = (HpkePrivateKey.Generate(), HpkePrivateKey.Generate(), HpkePrivateKey.Generate());
        var (analyzerPoint, firstPoint, secondPoint) = (HpkePublicKey.Read(analyzer.Point), HpkePublicKey.Read(first.Point), HpkePublicKey.Read(second.Point));
        var secret = new byte[32];
        var tickets = new TicketKey(secret);
        var ticket = new ShuffleTicket("run", "batch", 2, 20, 60, ReportBytes, 1, 1, 7, 3, 2_000_000_000);
        var good = Encoding.ASCII.GetBytes(tickets.Issue(ticket));

        var envelope = ReportEnvelope.Seal(new byte[20], ReportBytes, "run", "batch", "words", good, analyzerPoint, [firstPoint, secondPoint]);
        yield return new FuzzTarget("shuffle envelope", 4, [envelope], input => ReportEnvelope.TryOpenEnvelope(first, input, out var text, out _) && tickets.TryRead(text.Span) is not null);
        yield return new FuzzTarget("shuffle eight", 4, [envelope], input => OpensTogether(first, envelope, input)) { Allowance = 1 << 20 };
        ReportEnvelope.TryOpenEnvelope(first, envelope, out _, out var inner);
        yield return new FuzzTarget("shuffle hop", 4, [inner.ToArray()], input => ReportEnvelope.TryOpenHop(second, "run", "batch", input) is not null);
        var report = ReportEnvelope.TryOpenHop(second, "run", "batch", inner.Span)!;
        yield return new FuzzTarget("shuffle report", 4, [report], input => ReportEnvelope.TryOpenReport(analyzer, "run", "batch", "words", ReportBytes, input) is not null);
        yield return new FuzzTarget("shuffle key", 4, [first.Point.ToArray()], input =>
        {
            using var key = HpkePublicKey.TryRead(input);
            return key is not null;
        });

        yield return new FuzzTarget("shuffle ticket", 20, [good], input => tickets.TryRead(input) is { } read
            && (read == ticket ? true : throw new InvalidOperationException("A changed ticket was taken.")));

        // Whoever has the key may write anything into the claims.
        var claims = Base64Url.DecodeFromUtf8(good.AsSpan(0, good.AsSpan().IndexOf((byte)'.')));
        yield return new FuzzTarget("shuffle claims", 20, [.. WithHoles(claims)], input =>
            tickets.TryRead($"{Base64Url.EncodeToString(input)}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, input))}") is not null);

        var full = new BatchHeader("run", "batch", "0123abcd", [3, 5, 8], [0, 1, 4], 3, 222, new string('a', 64), false);
        var dropped = full with { Reports = 0, Dropped = true };
        yield return new FuzzTarget("shuffle batch", 20, [.. WithHoles(full.Encode()), dropped.Encode()], input => BatchHeader.TryDecode(input) is not null);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        yield return Json("shuffle registration", WireJson.Default.ShufflerMessage, new ShufflerMessage(
            "s-1", "https://shuffler", Base64Url.EncodeToString(first.Point), Base64Url.EncodeToString(key.ExportSubjectPublicKeyInfo())), share: 8);

        var way = new ShuffleMessage(
            "https://shuffler", [new("s-1", Base64Url.EncodeToString(first.Point)), new("s-2", Base64Url.EncodeToString(second.Point))], Base64Url.EncodeToString(analyzer.Point), "run", "batch", ReportBytes,
            tickets.Issue(ticket));
        var step = new ProtectionMessage(ProtectionMessage.Shuffled, 1, "privunitg", 2, way);
        yield return new FuzzTarget("shuffle way", 2, [.. WithHoles(JsonSerializer.SerializeToUtf8Bytes(step, WireJson.Default.ProtectionMessage))], input => Refusable(() =>
        {
            using var json = JsonDocument.Parse(input);
            if (UpdateProtection.WayOf(json.RootElement) is var (protection, found))
            {
                UpdateProtection.Seal(new byte[20], protection, found);
            }
        }));
    }

    /// <summary>Several at once are other arithmetic than one alone (eight points in the lanes of AVX-512): every other place holds the input, and each must come out as it does alone.</summary>
    private static bool OpensTogether(HpkePrivateKey key, byte[] good, byte[] input)
    {
        var envelopes = new byte[Hpke.OpenedTogether][];
        for (var i = 0; i < envelopes.Length; i++)
        {
            envelopes[i] = (i + input.Length) % 2 == 0 ? input : good;
        }

        var opened = new (ReadOnlyMemory<byte> Ticket, ReadOnlyMemory<byte> Inner)?[envelopes.Length];
        ReportEnvelope.OpenEnvelopes(key, envelopes, opened);
        var isOne = ReportEnvelope.TryOpenEnvelope(key, input, out var ticket, out var inner);
        ReportEnvelope.TryOpenEnvelope(key, good, out var goodTicket, out var goodInner);
        for (var i = 0; i < envelopes.Length; i++)
        {
            var (isOpen, its, rest) = ReferenceEquals(envelopes[i], good) ? (true, goodTicket, goodInner) : (isOne, ticket, inner);
            if (opened[i].HasValue != isOpen || (opened[i] is var (t, n) && !(t.Span.SequenceEqual(its.Span) && n.Span.SequenceEqual(rest.Span))))
            {
                throw new InvalidOperationException($"Place {i} of eight is not what it is alone.");
            }
        }

        return isOne;
    }
}
