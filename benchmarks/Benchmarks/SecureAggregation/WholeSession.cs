using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol.Wire;

namespace Federated.Benchmarks.SecureAggregation;

/// <summary>
/// A session of n members with d coordinates, all in this process, 5 % of whom drop out before they deliver: by phase, the processor time of a member and of the server, and the
/// bytes that a member sends and is sent, in the form in which they go over the wire.
/// </summary>
/// <remarks>
/// Bell et al., CCS 2020, table 1 (semi-honest): a member O(log² n + d log n) and O(log n + d) words, the server O(n log² n + n d log n) and O(n log n + n d). Ours differs in one thing:
/// the roster with everybody's keys goes to everybody, O(n) words a member.
/// </remarks>
internal sealed class WholeSession
{
    private readonly int n;
    private readonly SessionTerms terms;
    private readonly SessionServer server;
    private readonly SessionClient[] clients;
    private readonly Phase[] phases = [new("keys"), new("shares"), new("input"), new("survivors"), new("unmask")];
    private Phase phase;

    private WholeSession(int n, int d, ECDsa[] identities, IRandomSource random)
    {
        this.n = n;
        phase = phases[0];
        terms = new SessionTerms
        {
            Run = "benchmark", Length = d, Bits = 32, Minimum = n / 2, Most = n, Corrupted = 0.05, Dropout = 0.05, Server = AggregationServer.SemiHonest,
        };
        clients = [.. identities.Select((key, i) => new SessionClient(terms, i.ToString("D6", CultureInfo.InvariantCulture), key, random))];
        server = new SessionServer(terms, 1);
    }

    /// <returns>Whether the sum was the true one.</returns>
    public static bool Play(int n, int d)
    {
        var identities = Enumerable.Range(0, n).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256)).ToArray();
        using var random = new CryptographicRandom();
        var session = new WholeSession(n, d, identities, random);
        var start = Stopwatch.GetTimestamp();
        var isExact = session.Play();
        session.Tell(isExact, Stopwatch.GetElapsedTime(start).TotalSeconds);
        Array.ForEach(session.clients, c => c.Dispose());
        Array.ForEach(identities, k => k.Dispose());
        return isExact;
    }

    private bool Play()
    {
        // 0
        foreach (var client in clients)
        {
            var keys = Member(client.Advertise);
            Sends(keys, WireJson.Default.Advertisement);
            Server(() => server.Add(keys));
        }

        Advance();
        var roster = Server(server.Roster);
        Hear(roster, WireJson.Default.Roster, n);

        // 1
        phase = phases[1];
        foreach (var client in clients)
        {
            var shares = Member(() => client.ShareKeys(roster));
            Sends(shares, WireJson.Default.KeyShares);
            Server(() => server.Add(client.Index, shares));
        }

        Advance();

        // 2
        phase = phases[2];
        var (vector, expected) = (new uint[terms.Length], new uint[terms.Length]);
        foreach (var client in clients.Where((_, i) => i % 20 != 7))
        {
            for (var j = 0; j < vector.Length; j++)
            {
                vector[j] = (uint)(j + client.Index);
                expected[j] += vector[j];
            }

            var delivery = Server(() => server.DeliveryTo(client.Index));
            Hear(delivery, WireJson.Default.ShareDelivery, 1);
            Member(() =>
            {
                client.Mask(delivery, vector, 1);
                return vector;
            });
            phase.Up += WordPacking.Bytes(terms.Length, terms.Bits);
            Server(() => server.Add(client.Index, vector));
        }

        Advance();
        var here = clients.Where(c => Array.BinarySearch(server.Survivors, c.Index) >= 0).ToArray();

        // 2b
        phase = phases[3];
        phase.Down += (long)here.Length * JsonSerializer.SerializeToUtf8Bytes(server.Survivors).Length;
        foreach (var client in here)
        {
            var signature = Member(() => client.Confirm(server.Survivors));
            phase.Up += (signature.Length + 2) / 3 * 4;
            Server(() => server.Add(client.Index, signature));
        }

        Advance();

        // 3
        phase = phases[4];
        var request = Server(server.UnmaskRequest);
        Hear(request, WireJson.Default.UnmaskRequest, here.Length);
        foreach (var client in here)
        {
            var shares = Member(() => client.Unmask(request));
            Sends(shares, WireJson.Default.UnmaskShares);
            Server(() => server.Add(client.Index, shares));
        }

        Advance();
        return server.Phase == SessionPhase.Done && server.Sum.SequenceEqual(expected);
    }

    private void Tell(bool isExact, double wall)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"session, n = {n}, d = {terms.Length:N0}: k = {server.Parameters!.Degree}, t = {server.Parameters.Threshold}, {server.Survivors.Length} delivered; {(isExact ? "exact" : $"NOT EXACT {server.Problem}")}; all in one process {wall:F1} s"));
        foreach (var p in phases.Append(new Phase("all") { MemberTime = phases.Sum(p => p.MemberTime), ServerTime = phases.Sum(p => p.ServerTime), Up = phases.Sum(p => p.Up), Down = phases.Sum(p => p.Down) }))
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {p.Name,-9} a member {1000 * p.MemberTime / n,8:F2} ms, {p.Up / n,9:N0} bytes up, {p.Down / n,9:N0} down; the server {p.ServerTime,7:F2} s"));
        }
    }

    private void Advance() => Server(() =>
    {
        server.Advance();
        return server.Phase;
    });

    private T Member<T>(Func<T> work)
    {
        var (result, seconds) = Timed(work);
        phase.MemberTime += seconds;
        return result;
    }

    private T Server<T>(Func<T> work)
    {
        var (result, seconds) = Timed(work);
        phase.ServerTime += seconds;
        return result;
    }

    private void Sends<T>(T message, JsonTypeInfo<T> form) => phase.Up += JsonSerializer.SerializeToUtf8Bytes(message, form).Length;

    private void Hear<T>(T message, JsonTypeInfo<T> form, int members) => phase.Down += (long)members * JsonSerializer.SerializeToUtf8Bytes(message, form).Length;

    private static (T Result, double Processor) Timed<T>(Func<T> work)
    {
        var start = Environment.CpuUsage.TotalTime;
        var result = work();
        return (result, (Environment.CpuUsage.TotalTime - start).TotalSeconds);
    }

    /// <summary>Seconds of processor time of all members and of the server, bytes of all members.</summary>
    private sealed class Phase(string name)
    {
                public string Name => name;

        public double MemberTime { get; set; }

        public double ServerTime { get; set; }

        public long Up { get; set; }

        public long Down { get; set; }
    }
}
