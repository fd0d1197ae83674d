using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
    private ulong[]? items;

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

    /// <summary>
    /// The client's side under a seed that the server chose: as private as with an own seed, which is public anyway, and of no use to a client
    /// that looks for one (<see cref="Poisoning.AssignedSeeds"/>).
    /// </summary>
    /// <param name="item">In {0, …, k − 1}.</param>
    /// <param name="seed">The assigned seed.</param>
    /// <param name="report"><see cref="ReportBytes"/> bytes; overwritten.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public void Randomize(int item, ulong seed, Span<byte> report, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if ((uint)item >= (uint)Items || report.Length != ReportBytes)
        {
            throw new PrivacyException(
                $"The item must be between 0 and {Items - 1} and the report {ReportBytes} bytes; they are {item} and {report.Length}.");
        }

        WriteReport(seed, Respond(seed, (ulong)item, random), report);
    }

    /// <summary>The seed in a report.</summary>
    public static ulong Seed(ReadOnlySpan<byte> report) => BinaryPrimitives.ReadUInt64LittleEndian(report);

    /// <summary>Writes any report at all, honest or not.</summary>
    internal static void WriteReport(ulong seed, int bucket, Span<byte> report)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(report, seed);
        BinaryPrimitives.WriteInt32LittleEndian(report[sizeof(ulong)..], bucket);
    }

    /// <summary>The report of any 64-bit value.</summary>
    internal (ulong Seed, int Bucket) Respond(ulong value, IRandomSource random)
    {
        var seed = random.NextUInt64();
        return (seed, Respond(seed, value, random));
    }

    /// <summary>The randomised bucket of any 64-bit value under a given seed.</summary>
    internal int Respond(ulong seed, ulong value, IRandomSource random) =>
        GeneralizedRandomizedResponse.Respond(Bucket(seed, value), Buckets, lie, random);

    /// <summary>Adds one to the count of each value that the report supports.</summary>
    /// <remarks>
    /// ⌊h·g/2⁶⁴⌋ = b where h lies in [⌈b·2⁶⁴/g⌉, ⌈(b + 1)·2⁶⁴/g⌉): a subtraction and a comparison, eight hashes at a time.
    /// </remarks>
    internal void AddSupport(ulong seed, int bucket, ReadOnlySpan<ulong> values, Span<long> counts)
    {
        var start = Start(bucket);
        var width = Start(bucket + 1) - start; // modulo 2⁶⁴, which is what the last bucket needs
        var done = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var words = MemoryMarshal.Cast<ulong, Vector512<ulong>>(values);
            var totals = MemoryMarshal.Cast<long, Vector512<long>>(counts);
            var (starts, widths) = (Vector512.Create(start), Vector512.Create(width));
            for (var i = 0; i < words.Length; i++)
            {
                totals[i] -= Vector512.LessThan(SipHash.Hash(seed, Domain, words[i]) - starts, widths).AsInt64();
            }

            done = words.Length * Vector512<ulong>.Count;
        }

        for (var i = done; i < values.Length; i++)
        {
            counts[i] += SipHash.Hash(seed, Domain, values[i]) - start < width ? 1 : 0;
        }

        ulong Start(int b) => (ulong)((((UInt128)b << 64) + (uint)Buckets - 1) / (uint)Buckets);
    }

    /// <summary>How many of the reports support each value.</summary>
    internal long[] CountSupport(PrefixReport[] reports, ulong[] values)
    {
        // Reports in slices, each with its own counts: integers, so that the sum does not depend on how they are sliced.
        var support = new long[values.Length];
        var sync = new Lock();
        Parallel.ForEach(
            Partitioner.Create(0, reports.Length),
            () => new long[values.Length],
            (slice, _, counts) =>
            {
                foreach (var report in reports.AsSpan(slice.Item1, slice.Item2 - slice.Item1))
                {
                    AddSupport(report.Seed, report.Bucket, values, counts);
                }

                return counts;
            },
            counts =>
            {
                lock (sync)
                {
                    TensorPrimitives.Add(support, counts, support);
                }
            });
        return support;
    }

    public override double Probability(int item, ReadOnlySpan<byte> report)
    {
        var (seed, bucket) = Read(report);
        return Bucket(seed, item) == bucket ? TrueSupport : CoinThreshold.Probability(lie) / (Buckets - 1);
    }

    private protected override void Write(int item, Span<byte> report, IRandomSource random)
    {
        var (seed, bucket) = Respond((ulong)item, random);
        WriteReport(seed, bucket, report);
    }

    private protected override void Count(ReadOnlySpan<byte> report, Span<long> state)
    {
        var (seed, bucket) = Read(report);
        AddSupport(seed, bucket, items ??= [.. Enumerable.Range(0, Items).Select(v => (ulong)v)], state);
    }

    /// <summary>Seed and bucket of a report.</summary>
    /// <exception cref="PrivacyException">The bucket does not exist.</exception>
    internal (ulong Seed, int Bucket) Read(ReadOnlySpan<byte> report)
    {
        var bucket = BinaryPrimitives.ReadInt32LittleEndian(report[sizeof(ulong)..]);
        return (uint)bucket < (uint)Buckets
            ? (BinaryPrimitives.ReadUInt64LittleEndian(report), bucket)
            : throw Malformed(Name, $"bucket {bucket} of {Buckets}");
    }
}
