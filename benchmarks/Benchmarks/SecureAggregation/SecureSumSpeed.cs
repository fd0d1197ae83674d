using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Federated.Privacy.SecureAggregation;

namespace Federated.Benchmarks.SecureAggregation;

/// <summary>
/// Masks, in gigabytes of keystream a second, and whole sessions (<see cref="WholeSession"/>). Target: 2 GB/s on two cores. Processor time stands beside wall time, since
/// the machine may be shared.
/// </summary>
[WholeProcess("secure-sum", "[masks | n d]: mask throughput, and whole sessions of secure aggregation; all of them without arguments", "masks or n:text", "d:count")]
internal static class SecureSumSpeed
{
    public static int Run(string[] args)
    {
        if (args is not ([] or ["masks"] or [_, _]) || (args is [var written, _] && !(int.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var clients) && clients > 0)))
        {
            throw new UsageException("'secure-sum' takes nothing, 'masks', or two whole numbers: clients and parameters.");
        }

        if (args.Length == 2)
        {
            return WholeSession.Play(int.Parse(args[0], CultureInfo.InvariantCulture), int.Parse(args[1], CultureInfo.InvariantCulture)) ? 0 : 1;
        }

        var met = Masks();
        foreach (var (n, d) in args.Length > 0 ? [] : ((int, int)[])[(100, 10_000), (100, 100_000), (100, 1_000_000), (300, 100_000), (1000, 10_000), (1000, 100_000)])
        {
            met &= WholeSession.Play(n, d);
        }

        return met ? 0 : 1;
    }

    private static bool Masks()
    {
        const int words = 1 << 22;
        var vector = new uint[words];
        var seeds = Enumerable.Range(0, 32).Select(i => new MaskTerm(RandomNumberGenerator.GetBytes(32), i % 2 == 1)).ToList();
        var met = true;
        foreach (var threads in (int[])[1, 2])
        {
            PairwiseMask.ApplyAll(vector, seeds, 32, threads);
            var best = double.PositiveInfinity;
            var processor = double.PositiveInfinity;
            for (var run = 0; run < 7; run++)
            {
                var (wall, cpu) = Timed(() => PairwiseMask.ApplyAll(vector, seeds, 32, threads));
                (best, processor) = (Math.Min(best, wall), Math.Min(processor, cpu));
            }

            var bytes = 4.0 * words * seeds.Count / 1e9;
            met &= threads == 1 || Math.Max(bytes / best, threads * bytes / processor) >= 2;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"masks, {threads} thread{(threads > 1 ? "s" : "")}: {bytes / best:F2} GB/s of keystream added to a vector, best of 7; {threads * bytes / processor:F2} GB/s by processor time{(threads == 2 ? met ? "  (target 2 GB/s: met)" : "  (target 2 GB/s: MISSED)" : "")}"));
        }

        return met;
    }

    private static (double Wall, double Processor) Timed(Action work)
    {
        using var process = Process.GetCurrentProcess();
        var (start, before) = (Stopwatch.GetTimestamp(), process.TotalProcessorTime);
        work();
        process.Refresh();
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, (process.TotalProcessorTime - before).TotalSeconds);
    }
}
