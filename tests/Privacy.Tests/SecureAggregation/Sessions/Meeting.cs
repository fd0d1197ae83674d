using System.Globalization;
using System.Security.Cryptography;
using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sessions;

namespace Federated.Privacy.Tests.SecureAggregation.Sessions;

/// <summary>A session of n members in one process, whose members leave when a test says so.</summary>
internal sealed class Meeting : IDisposable
{
    /// <summary>Members keep their identities from one session to the next.</summary>
    [ThreadStatic]
    private static Dictionary<int, ECDsa>? identities;

    private readonly CryptographicRandom random = new();

    public Meeting(int members, SessionTerms? terms = null, uint number = 7)
    {
        Terms = terms ?? TermsOf(members);
        identities ??= [];
        for (var i = identities.Count; i < members; i++)
        {
            identities.Add(i, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        }

        Clients = [.. Enumerable.Range(0, members).Select(i => new SessionClient(Terms, NameOf(i), identities[i], random))];
        Server = new SessionServer(Terms, number);
        using var draws = new SimulationRandom((ulong)members);
        Inputs = [.. Clients.Select(_ => Enumerable.Range(0, Terms.Length).Select(_ => (uint)(draws.NextUInt64() >> (64 - Terms.Bits))).ToArray())];
    }

    public SessionTerms Terms { get; }

    public SessionClient[] Clients { get; }

    public uint[][] Inputs { get; }

    public SessionServer Server { get; }

    /// <summary>What the server was sent in round 2.</summary>
    public Dictionary<int, uint[]> Masked { get; } = [];

    /// <summary>Set to change what a member is told or tells.</summary>
    public Func<int, ShareDelivery, ShareDelivery> OnDelivery { get; set; } = (_, d) => d;

    public Func<int, KeyShares, KeyShares> OnShares { get; set; } = (_, s) => s;

    public Func<int, UnmaskShares, UnmaskShares> OnUnmask { get; set; } = (_, s) => s;

    public static SessionTerms TermsOf(int members, int length = 37, int bits = 24, int minimum = 2, double corrupted = 0, double dropout = 0.3, AggregationServer server = AggregationServer.SemiMalicious) => new()
    {
        Run = "run-1", Length = length, Bits = bits, Minimum = minimum, Most = members, Corrupted = corrupted, Dropout = dropout, Server = server,
    };

    public static string NameOf(int member) => member.ToString("D6", CultureInfo.InvariantCulture);

    public uint[] SumOf(IEnumerable<int> members)
    {
        var sum = new uint[Terms.Length];
        foreach (var member in members)
        {
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i] = (sum[i] + Inputs[member][i]) & (uint.MaxValue >> (32 - Terms.Bits));
            }
        }

        return sum;
    }

    /// <summary>Plays the session with the members of each phase only.</summary>
    /// <param name="stays">Whether a member takes the step of a phase.</param>
    public SessionPhase Play(Func<int, SessionPhase, bool> stays)
    {
        Advertise(stays);
        ShareKeys(stays);
        Deliver(stays);
        Confirm(stays);
        return Unmask(stays);
    }

    public void Advertise(Func<int, SessionPhase, bool> stays)
    {
        for (var i = 0; i < Clients.Length; i++)
        {
            if (stays(i, SessionPhase.Advertise))
            {
                Assert.Null(Server.Add(Clients[i].Advertise()));
            }
        }

        Server.Advance();
    }

    public void ShareKeys(Func<int, SessionPhase, bool> stays)
    {
        foreach (var i in Here(SessionPhase.ShareKeys, stays))
        {
            Assert.Null(Server.Add(Server.IndexOf(NameOf(i)), OnShares(i, Clients[i].ShareKeys(Server.Roster()))));
        }

        End(SessionPhase.ShareKeys);
    }

    public void Deliver(Func<int, SessionPhase, bool> stays)
    {
        foreach (var i in Here(SessionPhase.MaskedInput, stays))
        {
            var masked = (uint[])Inputs[i].Clone();
            Clients[i].Mask(OnDelivery(i, Server.DeliveryTo(Clients[i].Index)), masked, maxThreads: 1);
            Masked[i] = masked;
            Assert.Null(Server.Add(Clients[i].Index, masked));
        }

        End(SessionPhase.MaskedInput);
    }

    public void Confirm(Func<int, SessionPhase, bool> stays)
    {
        foreach (var i in Here(SessionPhase.Consistency, stays))
        {
            Assert.Null(Server.Add(Clients[i].Index, Clients[i].Confirm(Server.Survivors)));
        }

        End(SessionPhase.Consistency);
    }

    public SessionPhase Unmask(Func<int, SessionPhase, bool> stays)
    {
        foreach (var i in Here(SessionPhase.Unmask, stays))
        {
            Assert.Null(Server.Add(Clients[i].Index, OnUnmask(i, Clients[i].Unmask(Server.UnmaskRequest()))));
        }

        End(SessionPhase.Unmask);
        return Server.Phase;
    }

    public void Dispose()
    {
        foreach (var client in Clients)
        {
            client.Dispose();
        }

        random.Dispose();
    }

    /// <summary>Members that have taken every step so far and take this one.</summary>
    private IEnumerable<int> Here(SessionPhase phase, Func<int, SessionPhase, bool> stays) =>
        Server.Phase == phase ? Enumerable.Range(0, Clients.Length).Where(i => Clients[i].Phase == phase && stays(i, phase)) : [];

    private void End(SessionPhase phase)
    {
        if (Server.Phase == phase)
        {
            Server.Advance(maxThreads: 1);
        }
    }
}
