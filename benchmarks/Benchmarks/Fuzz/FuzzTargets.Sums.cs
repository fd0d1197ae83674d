using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol.Wire;

namespace Federated.Benchmarks.Fuzz;

/// <content>Secure sums: each message of a session, read and given to whoever it is for, server or member, in the phase in which it would come.</content>
internal static partial class FuzzTargets
{
    private const int Members = 3, Words = 37, WordBits = 24;

    private static IEnumerable<FuzzTarget> Sums()
    {
        yield return ToServer("sums keys", 6, WireJson.Default.Advertisement, SessionPhase.Advertise, sums => sums.Members[0].Advertise(), (sums, sent) => sums.Server.Add(sent));
        yield return ToServer("sums shares", 4, WireJson.Default.KeyShares, SessionPhase.ShareKeys, sums => sums.Members[0].ShareKeys(sums.Server.Roster()), (sums, sent) => sums.Server.Add(0, sent));
        yield return ToServer(
            "sums signature", 6, WireJson.Default.SurvivorsSignature, SessionPhase.Consistency, sums => new SurvivorsSignature(sums.Members[0].Confirm(sums.Server.Survivors)),
            (sums, sent) => sums.Server.Add(0, sent.Signature));
        yield return ToServer("sums unmask", 4, WireJson.Default.UnmaskShares, SessionPhase.Unmask, sums => sums.Members[0].Unmask(sums.Server.UnmaskRequest()), (sums, sent) => sums.Server.Add(0, sent));
        var packed = new byte[WordPacking.Bytes(Words, WordBits)];
        yield return new FuzzTarget("sums input", 40, [packed], input => WordPacking.TryUnpack(input, WordBits, new uint[Words]));

        yield return ToMember("sums roster", SessionPhase.ShareKeys, sums => new SecureSumState("share-keys", "a") { Roster = sums.Server.Roster() }, (member, state) => member.ShareKeys(state.Roster!), state => state.Roster is not null);
        yield return ToMember(
            "sums delivery", SessionPhase.MaskedInput, sums => new SecureSumState("masked-input", "a") { Delivery = sums.Server.DeliveryTo(0) },
            (member, state) => member.Mask(state.Delivery!, new uint[Words], maxThreads: 1), state => state.Delivery is not null);
        yield return ToMember(
            "sums survivors", SessionPhase.Consistency, sums => new SecureSumState("consistency", "a") { Survivors = sums.Server.Survivors },
            (member, state) => member.Confirm(state.Survivors!), state => state.Survivors is not null);
        yield return ToMember(
            "sums unmasking", SessionPhase.Unmask, sums => new SecureSumState("unmask", "a") { Unmask = sums.Server.UnmaskRequest() },
            (member, state) => member.Unmask(state.Unmask!), state => state.Unmask is not null);

        var plan = new SecureSumMessage(24, 0, 0.5, 3, 10, 0.1, 0.3, "semi-malicious", "equal", 0);
        yield return new FuzzTarget("sums plan", 8, [.. WithHoles(JsonSerializer.SerializeToUtf8Bytes(new ProtectionMessage(ProtectionMessage.SecureSum, 1) { Sum = plan }, WireJson.Default.ProtectionMessage))], input => Refusable(() =>
        {
            using var json = JsonDocument.Parse(input);
            if (Federated.Client.Session.UpdateProtection.SumsSecurely(json.RootElement))
            {
                var sum = Federated.Client.Session.UpdateProtection.SumOf(json.RootElement, new float[Dimension], 10, 1);
                sum.Sum.ToPlan(sum.ClipNorm, Dimension).TermsFor("run").For(1, Members);
            }
        }));
    }

    /// <summary>The first member's step; the server is one that has not had it yet.</summary>
    private static FuzzTarget ToServer<T>(string name, int share, JsonTypeInfo<T> form, SessionPhase phase, Func<Sitting, T> good, Func<Sitting, T, string?> take)
        where T : class
    {
        var sums = new Sitting(phase);
        byte[][] corpus = [.. WithHoles(JsonSerializer.SerializeToUtf8Bytes(good(sums), form))];
        return new FuzzTarget(name, share, corpus, input => !input.AsSpan().SequenceEqual(corpus[0]) && Refusable(() =>
        {
            if (JsonSerializer.Deserialize(input, form) is not { } sent || take(sums, sent) is not null)
            {
                throw new JsonException("It was refused.");
            }

            // It was spelt otherwise and is the same, or the server cannot tell: it has it now, and the next case needs one that has not.
            sums.Dispose();
            sums = new Sitting(phase);
            Renew(corpus, JsonSerializer.SerializeToUtf8Bytes(good(sums), form));
        }));
    }

    /// <summary>What the server says to the first member; whether it refuses or not, it is not asked twice.</summary>
    private static FuzzTarget ToMember(string name, SessionPhase phase, Func<Sitting, SecureSumState> good, Action<SessionClient, SecureSumState> take, Func<SecureSumState, bool> isTold)
    {
        var sums = new Sitting(phase);
        byte[][] corpus = [.. WithHoles(JsonSerializer.SerializeToUtf8Bytes(good(sums), WireJson.Default.SecureSumState))];
        return new FuzzTarget(name, 1, corpus, input =>
        {
            SecureSumState? state;
            try
            {
                state = JsonSerializer.Deserialize(input, WireJson.Default.SecureSumState);
            }
            catch (JsonException)
            {
                return false;
            }

            if (state is null || !isTold(state))
            {
                return false;
            }

            var (member, before) = (sums.Members[0], sums);
            sums = new Sitting(phase);
            Renew(corpus, JsonSerializer.SerializeToUtf8Bytes(good(sums), WireJson.Default.SecureSumState));
            using (before)
            {
                return Refusable(() => take(member, state));
            }
        }) { Allowance = 4 << 20 }; // The next session is made here too.
    }

    /// <summary>Later cases are made from this sample.</summary>
    private static void Renew(byte[][] corpus, byte[] sample)
    {
        var at = 0;
        foreach (var each in WithHoles(sample).Take(corpus.Length))
        {
            corpus[at++] = each;
        }
    }

    /// <summary>A session whose members have come as far as a phase.</summary>
    private sealed class Sitting : IDisposable
    {
        private static readonly ECDsa[] Identities = [.. Enumerable.Range(0, Fuzz.FuzzTargets.Members).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256))];

        private readonly CryptographicRandom random = new();

        public Sitting(SessionPhase phase)
        {
            var terms = new SessionTerms
            {
                Run = "run", Length = Words, Bits = WordBits, Minimum = 2, Most = Fuzz.FuzzTargets.Members, Corrupted = 0, Dropout = 0.3, Server = AggregationServer.SemiMalicious,
            };
            Members = [.. Identities.Select((key, i) => new SessionClient(terms, $"member-{i}", key, random))];
            Server = new SessionServer(terms, 7);
            for (var at = SessionPhase.Advertise; at < phase; at++)
            {
                foreach (var member in Members)
                {
                    Require(at switch
                    {
                        SessionPhase.Advertise => Server.Add(member.Advertise()),
                        SessionPhase.ShareKeys => Server.Add(member.Index < 0 ? Server.IndexOf(NameOf(member)) : member.Index, member.ShareKeys(Server.Roster())),
                        SessionPhase.MaskedInput => Server.Add(member.Index, Masked(member)),
                        _ => Server.Add(member.Index, member.Confirm(Server.Survivors)),
                    });
                }

                Server.Advance(maxThreads: 1);
            }
        }

        public SessionClient[] Members { get; }

        public SessionServer Server { get; }

        public void Dispose()
        {
            Array.ForEach(Members, m => m.Dispose());
            random.Dispose();
        }

        private string NameOf(SessionClient member) => $"member-{Array.IndexOf(Members, member)}";

        private uint[] Masked(SessionClient member)
        {
            var vector = new uint[Words];
            member.Mask(Server.DeliveryTo(member.Index), vector, maxThreads: 1);
            return vector;
        }

        private static void Require(string? refusal)
        {
            if (refusal is not null)
            {
                throw new InvalidOperationException($"The sample is not taken: {refusal}.");
            }
        }
    }
}
