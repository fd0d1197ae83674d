using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;

namespace Federated.Shuffler.Tests;

public sealed class ReportEnvelopeTests : IDisposable
{
    private readonly HpkePrivateKey analyzer = HpkePrivateKey.Generate();
    private readonly HpkePrivateKey first = HpkePrivateKey.Generate();
    private readonly HpkePrivateKey second = HpkePrivateKey.Generate();

    public void Dispose()
    {
        analyzer.Dispose();
        first.Dispose();
        second.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void EachOpensItsOwnAndNothingElse(int shufflers)
    {
        var envelope = Seal([1, 2, 3], "ticket", shufflers);
        Assert.True(ReportEnvelope.TryOpenEnvelope(first, envelope, out var ticket, out var inner));
        Assert.Equal("ticket", System.Text.Encoding.ASCII.GetString(ticket.Span));
        Assert.Equal(ReportEnvelope.InnerBytes(100, shufflers - 1), inner.Length);
        Assert.False(ReportEnvelope.TryOpenEnvelope(second, envelope, out _, out _));
        if (shufflers == 2)
        {
            Assert.Null(Open(inner.Span));
            Assert.Null(ReportEnvelope.TryOpenHop(second, "run", "v2", inner.Span));
            inner = ReportEnvelope.TryOpenHop(second, "run", "v1", inner.Span);
        }

        Assert.Equal([1, 2, 3], Open(inner.Span)!.Value.ToArray());
        Assert.Null(ReportEnvelope.TryOpenReport(first, "run", "v1", "r", 100, inner.Span));
        Assert.Null(ReportEnvelope.TryOpenReport(analyzer, "other", "v1", "r", 100, inner.Span));
        Assert.Null(ReportEnvelope.TryOpenReport(analyzer, "run", "v1", "weaker", 100, inner.Span));
    }

    [Fact]
    public void AProofIsOfATicketAndGivesNone()
    {
        using var mine = HpkePublicKey.Read(first.Point);
        using var theirs = HpkePublicKey.Read(analyzer.Point);
        var (issuer, reader) = (new TicketKey(analyzer.Agree(mine, TicketKey.Label)), new TicketKey(first.Agree(theirs, TicketKey.Label)));
        var ticket = new ShuffleTicket("run", "v1", 2, 4, 60, 100, 0, 1, 7, 3, 1_900_000_000);
        var text = issuer.Issue(ticket);
        var proof = TicketKey.Prove(text);
        var (claims, proven) = reader.TryReadProof(proof)!.Value;
        Assert.Equal((ticket, text), (claims, System.Text.Encoding.ASCII.GetString(proven)));
        Assert.Null(reader.TryRead(proof));
        Assert.Null(reader.TryReadProof(text));
        Assert.Null(reader.TryReadProof(""));
        Assert.Null(reader.TryReadProof(proof + "." + proof));
        Assert.Null(new TicketKey(second.Agree(theirs, TicketKey.Label)).TryReadProof(proof));
        const string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for (var i = 0; i < proof.Length; i++)
        {
            var other = proof[i] == '.' ? 'A' : digits[digits.IndexOf(proof[i], StringComparison.Ordinal) ^ 32]; // The highest bit, which stands for something in every place.
            Assert.Null(reader.TryReadProof(proof.Remove(i, 1).Insert(i, other.ToString())));
        }

        Assert.Equal(ReportEnvelope.EnvelopeBytes(ReportEnvelope.InnerBytes(100, 1)), ReportEnvelope.EnvelopeBytes(ticket with { Hops = 1 }));
        Assert.Throws<FormatException>(() => TicketKey.Prove("ticket"));
        Assert.Throws<FormatException>(() => TicketKey.Prove("ticket.?"));
    }

    [Fact]
    public void SizesTellNothing()
    {
        var sizes = Enumerable.Range(0, 97).Select(n => Seal(new byte[n], new string('t', 200 + (3 * n)), 2).Length).Distinct();
        Assert.Equal(ReportEnvelope.EnvelopeBytes(ReportEnvelope.InnerBytes(100, 1)), Assert.Single(sizes));
        Assert.Throws<ArgumentException>(() => Seal(new byte[97], "t", 1));
    }

    [Fact]
    public void ATicketIsTheCoordinatorsOrNone()
    {
        using var mine = HpkePublicKey.Read(first.Point);
        using var theirs = HpkePublicKey.Read(analyzer.Point);
        var (issuer, reader) = (new TicketKey(analyzer.Agree(mine, TicketKey.Label)), new TicketKey(first.Agree(theirs, TicketKey.Label)));
        var ticket = new ShuffleTicket("run", "v1", 2, 4, 60, 100, 0, 1, 7, 3, 1_900_000_000);
        var text = issuer.Issue(ticket);
        Assert.Equal(ticket, reader.TryRead(text));
        Assert.Null(new TicketKey(second.Agree(theirs, TicketKey.Label)).TryRead(text));
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text.ToCharArray();
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            Assert.True(reader.TryRead(new string(changed)) is null || changed[i] == text[i] || i == text.Length - 1 || i == text.IndexOf('.') - 1);
        }

        Assert.Null(reader.TryRead(issuer.Issue(ticket with { Target = 1 })));
    }

    private byte[] Seal(byte[] payload, string ticket, int shufflers)
    {
        using var a = HpkePublicKey.Read(analyzer.Point);
        using var f = HpkePublicKey.Read(first.Point);
        using var s = HpkePublicKey.Read(second.Point);
        return ReportEnvelope.Seal(payload, 100, "run", "v1", "r", System.Text.Encoding.ASCII.GetBytes(ticket), a, shufflers == 1 ? [f] : [f, s]);
    }

    private ReadOnlyMemory<byte>? Open(ReadOnlySpan<byte> inner) => ReportEnvelope.TryOpenReport(analyzer, "run", "v1", "r", 100, inner);
}
