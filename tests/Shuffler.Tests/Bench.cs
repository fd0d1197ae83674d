using System.Security.Cryptography;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Storage;
using Federated.Privacy.Randomness;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Batches;

namespace Federated.Shuffler.Tests;

/// <summary>A book on a disk that forgets, with a clock that stands still.</summary>
internal sealed class Bench : IDisposable
{
    public const int ReportBytes = 32;

    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly SimulationRandom random = new(11);

    public Bench(int floor = 1, ulong seed = 1)
    {
        (Disk, Rules) = (new FaultyFileSystem(seed), new BatchRules(floor));
        Book = Reopen();
    }

    public FaultyFileSystem Disk { get; }

    public ManualTime Time { get; } = new();

    public BatchRules Rules { get; }

    public ECDsa Key => key;

    public BatchBook Book { get; private set; }

    public ShuffleTicket Ticket(long assignment, int minimum = 2, int target = 4, int client = -1, string batch = "v1", int perClient = 1) => new(
        "run", batch, minimum, target, 60, ReportBytes, 0, perClient, assignment, client < 0 ? (int)assignment : client, Time.GetUtcNow().ToUnixTimeSeconds() + 3600);

    /// <summary>A report whose bytes say what it is.</summary>
    public static HeldReport Report(ShuffleTicket ticket, byte content = 0)
    {
        var inner = new byte[ReportEnvelope.InnerBytes(ticket.ReportBytes, ticket.Hops)];
        Array.Fill(inner, (byte)(content == 0 ? ticket.Assignment : content));
        return HeldReport.Of(ticket, inner);
    }

    public ReportOutcome Take(ShuffleTicket ticket, byte content = 0) => Book.Take([Report(ticket, content)])[0];

    /// <summary>What leaves: the header, and the first byte of each report.</summary>
    public static async Task<(BatchHeader Header, byte[] Reports)> EmitAsync(ClosedBatch batch)
    {
        using var body = new MemoryStream();
        await batch.WriteAsync(body, default);
        Assert.Equal(batch.BodyBytes, body.Length);
        var bytes = body.ToArray();
        var length = BitConverter.ToInt32(bytes);
        var header = BatchHeader.TryDecode(bytes.AsSpan(4, length))!;
        var reports = bytes[(4 + length)..];
        Assert.Equal(header.Sha256, Convert.ToHexStringLower(SHA256.HashData(reports)));
        return (header, [.. Enumerable.Range(0, header.Reports).Select(i => reports[i * header.ReportBytes])]);
    }

    public BatchBook Reopen() => Book = BatchBook.Open(new FaultyDisk(Disk), key, Rules, Time, random);

    /// <summary>The machine dies and starts again.</summary>
    public void Crash()
    {
        Disk.Restart();
        Reopen();
    }

    public void Dispose()
    {
        Book.Dispose();
        key.Dispose();
        random.Dispose();
    }
}
