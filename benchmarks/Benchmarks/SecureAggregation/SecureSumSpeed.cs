using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sessions;

namespace Federated.Benchmarks.SecureAggregation;

/// <summary>
/// Masks, in gigabytes of keystream a second, and whole sessions of n members with d coordinates, 5 % of whom drop out before they deliver. Target: 2 GB/s on two
/// cores. Processor time stands beside wall time, since the machine may be shared.
/// </summary>
[WholeProcess("secure-sum", "[masks | n d]: mask throughput, and whole sessions of secure aggregation; all of them without arguments")]
internal static class SecureSumSpeed
{
    public static int Run(string[] args)
    {
        if (args.Length == 2)
        {
            Session(int.Parse(args[0], CultureInfo.InvariantCulture), int.Parse(args[1], CultureInfo.InvariantCulture));
            return 0;
        }

        var met = Masks();
        foreach (var (n, d) in args.Length > 0 ? [] : ((int, int)[])[(100, 10_000), (100, 100_000), (100, 1_000_000), (1000, 10_000), (1000, 100_000)])
        {
            Session(n, d);
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

    private static void Session(int n, int d)
    {
        var terms = new SessionTerms
        {
            Run = "benchmark", Length = d, Bits = 32, Minimum = n / 2, Most = n, Corrupted = 0.05, Dropout = 0.05, Server = AggregationServer.SemiHonest,
        };
        var identities = Enumerable.Range(0, n).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256)).ToArray();
        using var random = new CryptographicRandom();
        var clients = identities.Select((key, i) => new SessionClient(terms, i.ToString("D6", CultureInfo.InvariantCulture), key, random)).ToArray();
        var server = new SessionServer(terms, 1);
        double memberTime = 0, serverTime = 0;
        var vector = new uint[d];
        void Member(Action work) => memberTime += Timed(work).Processor;
        void Server(Action work) => serverTime += Timed(work).Processor;
        var whole = Stopwatch.GetTimestamp();
        foreach (var client in clients)
        {
            Advertisement keys = null!;
            Member(() => keys = client.Advertise());
            Server(() => server.Add(keys));
        }

        Server(() => server.Advance());
        var roster = server.Roster();
        foreach (var client in clients)
        {
            KeyShares shares = null!;
            Member(() => shares = client.ShareKeys(roster));
            Server(() => server.Add(client.Index, shares));
        }

        Server(() => server.Advance());
        var expected = new uint[d];
        foreach (var client in clients.Where((_, i) => i % 20 != 7))
        {
            for (var j = 0; j < d; j++)
            {
                vector[j] = (uint)(j + client.Index);
                expected[j] += vector[j];
            }

            ShareDelivery delivery = null!;
            Server(() => delivery = server.DeliveryTo(client.Index));
            Member(() => client.Mask(delivery, vector));
            Server(() => server.Add(client.Index, vector));
        }

        Server(() => server.Advance());
        var here = clients.Where(c => Array.BinarySearch(server.Survivors, c.Index) >= 0).ToArray();
        foreach (var client in here)
        {
            byte[] signature = [];
            Member(() => signature = client.Confirm(server.Survivors));
            Server(() => server.Add(client.Index, signature));
        }

        Server(() => server.Advance());
        var request = server.UnmaskRequest();
        foreach (var client in here)
        {
            UnmaskShares shares = null!;
            Member(() => shares = client.Unmask(request));
            Server(() => server.Add(client.Index, shares));
        }

        var (openWall, openProcessor) = Timed(() => server.Advance());
        serverTime += openProcessor;
        var isExact = server.Phase == SessionPhase.Done && server.Sum.SequenceEqual(expected);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"session, n = {n,4}, d = {d,9:N0}: k = {server.Parameters!.Degree,2}, t = {server.Parameters.Threshold,2}, {server.Survivors.Length,4} delivered; a member {1000 * memberTime / n,8:F1} ms, the server {serverTime,7:F2} s of processor time (opening {openProcessor:F2}, in {openWall:F2} s); all in one process {Stopwatch.GetElapsedTime(whole).TotalSeconds,6:F1} s; {(isExact ? "exact" : $"NOT EXACT {server.Problem}")}"));
        Array.ForEach(clients, c => c.Dispose());
        Array.ForEach(identities, k => k.Dispose());
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
