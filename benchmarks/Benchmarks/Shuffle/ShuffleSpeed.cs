using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Federated.Coordinator.Shuffling;
using Federated.Privacy.Hpke;
using Federated.Privacy.Hpke.Agreement;
using Federated.Privacy.Randomness;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;
using Federated.Shuffler.Batches;
using Federated.Shuffler.Storage;

namespace Federated.Benchmarks.Shuffle;

/// <summary>
/// A shuffler's way of reports without its network: envelopes opened on all cores, tickets checked, reports appended to a batch and synced, the batch
/// closed; and a coordinator's: reports opened and summed. Targets on two cores: 20,000 reports/s of 1 KiB, 300 MiB/s of large ones, 100,000 small
/// ones opened and estimated in 3 s. Processor time stands beside wall time, since the machine may be shared.
/// </summary>
[WholeProcess("shuffle", "[reports]: reports/s of 1 KiB and of 1 MiB through a shuffler, and opened by a coordinator; 10,000 small ones by default", "reports:count")]
internal static class ShuffleSpeed
{
    private const int Cores = 2;

    public static int Run(string[] args)
    {
        var small = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10_000;
        var folder = Directory.CreateTempSubdirectory("fed-shuffle-").FullName;
        try
        {
            WithKeys(Hpke.CurveInUse, AgreementKeys.Create, folder, small);
            if (Hpke.CurveInUse != PlatformAgreementKey.Name)
            {
                // The portable way beside it, in the same minute of the same machine.
                WithKeys(PlatformAgreementKey.Name, key => new PlatformAgreementKey(key), folder, Math.Max(1, small / 5));
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void WithKeys(string name, Func<ECDiffieHellman, IAgreementKey> way, string folder, int small)
    {
        using var made = HpkePrivateKey.Generate();
        using var key = HpkePrivateKey.Import(made.Export(), way);
        var console = Console.Out;
        Console.SetOut(TextWriter.Null); // Once for the compiler.
        Through(Path.Combine(folder, "warm" + name[..4]), key, key, 4000, 1024, "1 KiB");
        Open(key, 4000, 1024);
        Console.SetOut(console);
        Console.WriteLine($"points multiplied by {name}:");
        Through(Path.Combine(folder, name[..4]), key, key, small, 1024, "1 KiB");
        Through(Path.Combine(folder, name[..4]), key, key, 96, 1 << 20, "1 MiB");
        Open(key, small, 1024);
    }

    private static void Through(string folder, HpkePrivateKey shuffler, HpkePrivateKey analyzer, int count, int reportBytes, string size)
    {
        using var key = HpkePublicKey.Read(shuffler.Point);
        using var other = HpkePublicKey.Read(analyzer.Point);
        using var signing = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var random = new CryptographicRandom();
        var tickets = new TicketKey(shuffler.Agree(other, TicketKey.Label));
        var envelopes = new byte[count][];
        Parallel.For(0, count, i =>
        {
            var ticket = new ShuffleTicket("run", "v1", count, count, 3600, reportBytes, 0, 1, i, i, 4_000_000_000);
            envelopes[i] = ReportEnvelope.Seal(new byte[reportBytes - 4], reportBytes, "run", "v1", "r", Encoding.ASCII.GetBytes(tickets.Issue(ticket)), other, [key]);
        });
        using var book = BatchBook.Open(new PhysicalDisk(Path.Combine(folder, size.Replace(' ', '-'))), signing, new BatchRules(2), TimeProvider.System, random);
        var (opening, openingCpu) = Timed(() =>
        {
            for (var start = 0; start < count; start += 4096)
            {
                var group = new HeldReport[Math.Min(4096, count - start)];
                Parallel.For(0, (group.Length + Hpke.OpenedTogether - 1) / Hpke.OpenedTogether, part =>
                {
                    var first = part * Hpke.OpenedTogether;
                    var opened = new (ReadOnlyMemory<byte> Ticket, ReadOnlyMemory<byte> Inner)?[Math.Min(Hpke.OpenedTogether, group.Length - first)];
                    ReportEnvelope.OpenEnvelopes(shuffler, envelopes.AsSpan(start + first, opened.Length), opened);
                    for (var i = 0; i < opened.Length; i++)
                    {
                        var (ticket, inner) = opened[i] ?? throw new InvalidOperationException("An envelope did not open.");
                        group[first + i] = HeldReport.Of(tickets.TryRead(ticket.Span)!, inner);
                    }
                });
                book.Take(group);
            }
        });
        if (book.Outbox.Count != 1)
        {
            throw new InvalidOperationException("The batch was not closed.");
        }

        Tell($"shuffler, {count} reports of {size}: opened, checked, synced, permuted and signed", count, (double)count * reportBytes, opening, openingCpu);
    }

    private static void Open(HpkePrivateKey analyzer, int count, int reportBytes)
    {
        using var key = HpkePublicKey.Read(analyzer.Point);
        using var nobody = HpkePrivateKey.Generate();
        using var shuffler = HpkePublicKey.Read(nobody.Point);
        var terms = new ShuffleTerms
        {
            Shufflers = ["s1"], Minimum = 2, Target = count, WindowSeconds = 1, ReportBytes = reportBytes, Protection = new ProtectionMessage(ProtectionMessage.Shuffled, 1, "r", 1), IsByVersion = true,
        };
        var size = ReportEnvelope.InnerBytes(reportBytes, 0);
        var reports = new byte[count * size];
        Parallel.For(0, count, i =>
        {
            var envelope = ReportEnvelope.Seal(new byte[reportBytes - 4], reportBytes, "run", "v1", terms.Protection.RandomizerInWords, "t"u8, key, [shuffler]);
            ReportEnvelope.TryOpenEnvelope(nobody, envelope, out _, out var inner);
            inner.Span.CopyTo(reports.AsSpan(i * size, size));
        });
        var sum = new double[(reportBytes - 4) / sizeof(float)];
        var (wall, cpu) = Timed(() =>
        {
            foreach (var opened in ReportOpening.Open(analyzer, "run", "v1", terms, reports))
            {
                var values = MemoryMarshal.Cast<byte, float>(opened!.Value.Payload.Span);
                for (var i = 0; i < sum.Length; i++)
                {
                    sum[i] += values[i];
                }
            }
        });
        Tell($"coordinator, {count} reports of 1 KiB: opened, digested and averaged", count, (double)count * reportBytes, wall, cpu);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  100,000 of them: {100_000.0 / count * cpu / Cores:F1} s on {Cores} free cores (target 3 s)"));
    }

    private static void Tell(string what, int count, double bytes, double wall, double cpu) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{what}: {count / wall:N0}/s, {bytes / wall / (1 << 20):F0} MiB/s by the clock; by processor time, on {Cores} cores: {Cores * count / cpu:N0}/s, {Cores * bytes / cpu / (1 << 20):F0} MiB/s ({1e6 * cpu / count:F0} µs of processor each)"));

    private static (double Wall, double Processor) Timed(Action work)
    {
        var process = Process.GetCurrentProcess();
        var (before, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
        work();
        process.Refresh();
        return (clock.Elapsed.TotalSeconds, (process.TotalProcessorTime - before).TotalSeconds);
    }
}
