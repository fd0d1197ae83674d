using System.Buffers.Binary;
using System.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// Local hashing: a fresh public seed hashes the items to g buckets, and the own bucket goes through randomised response. With
/// g = round(e^ε) + 1 the error is OUE's at a few bytes a report.
/// </summary>
/// <remarks>
/// Wang, Blocki, Li, Jha, USENIX Security 2017, §4.4. p = e^ε/(e^ε + g − 1); q = 1/g, the collision probability of the hash: SipHash-2-4 keyed
/// by the seed, brought to g buckets by multiply-high (bias below g·2⁻⁶⁴). Cost: O(1) a report, k hashes a report for the server.
/// A client that chooses its seed can concentrate its report on chosen items: let the server choose it where clients are not trusted.
/// </remarks>
public sealed class LocalHashing : FrequencyOracle
{
    private const ulong Domain = 0x6f6c682d6f6c6821; // keeps these hashes apart from any other use of the seed
    private readonly ulong lie;

    /// <param name="epsilon">ε.</param>
    /// <param name="items">k.</param>
    /// <param name="buckets">g; 0 takes round(e^ε) + 1, 2 is binary local hashing.</param>
    public LocalHashing(double epsilon, int items, int buckets = 0)
        : base(epsilon, items)
    {
        if (buckets < 0 || buckets == 1)
        {
            throw new PrivacyException($"Local hashing needs at least 2 buckets; it has {buckets}.");
        }

        Buckets = buckets > 0 ? buckets : (int)Math.Min(1 << 30, Math.Round(Math.Exp(epsilon)) + 1);
        lie = GeneralizedRandomizedResponse.LieThreshold(epsilon, Buckets);
        Epsilon = Math.Min(epsilon, CoinThreshold.LogOddsAgainst(lie) + Math.Log(Buckets - 1));
    }

    public override string Name => FrequencyOracles.LocalHashing;

    public override double Epsilon { get; }

    /// <summary>g.</summary>
    public int Buckets { get; }

    public override double TrueSupport => CoinThreshold.Complement(lie);

    public override double FalseSupport => 1.0 / Buckets;

    public override int ReportBytes => sizeof(ulong) + sizeof(int);

    public override int ReportBits => 64 + BitOperations.Log2((uint)Buckets - 1) + 1;

    /// <summary>The bucket of an item under a seed.</summary>
    public int Bucket(ulong seed, int item) => Bucket(seed, (ulong)item);

    /// <summary>The bucket of any 64-bit value: hashing needs no list of items.</summary>
    internal int Bucket(ulong seed, ulong value) => (int)Math.BigMul(SipHash.Hash(seed, Domain, value), (ulong)Buckets, out _);

    /// <summary>The report of any 64-bit value.</summary>
    internal (ulong Seed, int Bucket) Respond(ulong value, IRandomSource random)
    {
        var seed = random.NextUInt64();
        return (seed, GeneralizedRandomizedResponse.Respond(Bucket(seed, value), Buckets, lie, random));
    }

    public override double Probability(int item, ReadOnlySpan<byte> report)
    {
        var (seed, bucket) = Read(report);
        return Bucket(seed, item) == bucket ? TrueSupport : CoinThreshold.Probability(lie) / (Buckets - 1);
    }

    private protected override void Write(int item, Span<byte> report, IRandomSource random)
    {
        var (seed, bucket) = Respond((ulong)item, random);
        BinaryPrimitives.WriteUInt64LittleEndian(report, seed);
        BinaryPrimitives.WriteInt32LittleEndian(report[sizeof(ulong)..], bucket);
    }

    private protected override void Count(ReadOnlySpan<byte> report, Span<long> state)
    {
        var (seed, bucket) = Read(report);
        for (var v = 0; v < state.Length; v++)
        {
            state[v] += Bucket(seed, v) == bucket ? 1 : 0;
        }
    }

    private (ulong Seed, int Bucket) Read(ReadOnlySpan<byte> report)
    {
        var bucket = BinaryPrimitives.ReadInt32LittleEndian(report[sizeof(ulong)..]);
        return (uint)bucket < (uint)Buckets
            ? (BinaryPrimitives.ReadUInt64LittleEndian(report), bucket)
            : throw Malformed(Name, $"bucket {bucket} of {Buckets}");
    }
}
