using System.Buffers.Binary;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>Crafts the reports of fake clients that push chosen items, to measure what they gain and what a defence leaves of it.</summary>
/// <remarks>
/// Cao, Jia, Gong, "Data Poisoning Attacks to Local Differential Privacy Protocols", USENIX Security 2021, §4, https://arxiv.org/abs/1911.02046.
/// Maximal: GRR a random target; unary the targets and random padding up to l = ⌊p + (k−1)q⌋ ones, the expected weight of an honest report; OLH the
/// best of some random seeds with the bucket that most targets fall into, or, where seeds are assigned, the best bucket of the given one.
/// Deviation: none. Cost: seedTrials·r hashes a report for OLH.
/// </remarks>
public sealed class FakeReports
{
    private readonly FrequencyOracle oracle;
    private readonly int[] targets;
    private readonly int[] others;
    private readonly int seedTrials;

    /// <param name="oracle">GRR, a unary encoding or local hashing.</param>
    /// <param name="targets">r distinct items.</param>
    /// <param name="attack">What is sent.</param>
    /// <param name="seedTrials">Seeds tried for one report of local hashing.</param>
    public FakeReports(FrequencyOracle oracle, IReadOnlyList<int> targets, PoisoningAttack attack, int seedTrials = 1000)
    {
        ArgumentNullException.ThrowIfNull(oracle);
        ArgumentNullException.ThrowIfNull(targets);
        if (targets.Count == 0 || targets.Count > oracle.Items || targets.Distinct().Count() != targets.Count
            || targets.Any(t => (uint)t >= (uint)oracle.Items) || seedTrials < 1)
        {
            throw new PrivacyException($"Fake reports need distinct targets among {oracle.Items} items and a seed to try; there are {targets.Count} and {seedTrials}.");
        }

        if (attack != PoisoningAttack.RandomItem && oracle is not (GeneralizedRandomizedResponse or UnaryEncoding or LocalHashing))
        {
            throw new PrivacyException($"Crafted reports are known for grr, oue, sue and olh, not for '{oracle.Name}'.");
        }

        (this.oracle, this.targets, Attack, this.seedTrials) = (oracle, [.. targets], attack, seedTrials);
        others = [.. Enumerable.Range(0, oracle.Items).Except(targets)];
    }

    public PoisoningAttack Attack { get; }

    /// <summary>One fake report.</summary>
    /// <param name="report">The oracle's size; overwritten.</param>
    /// <param name="random">The attacker's coins.</param>
    /// <param name="assignedSeed">The seed that the server insists on; null where clients choose theirs.</param>
    public void Write(Span<byte> report, IRandomSource random, ulong? assignedSeed = null)
    {
        ArgumentNullException.ThrowIfNull(random);
        report.Clear();
        if (Attack == PoisoningAttack.RandomItem)
        {
            var claimed = targets[random.NextBelow(targets.Length)];
            if (oracle is LocalHashing honest && assignedSeed is { } given)
            {
                honest.Randomize(claimed, given, report, random);
            }
            else
            {
                oracle.Randomize(claimed, report, random);
            }
        }
        else if (oracle is GeneralizedRandomizedResponse)
        {
            var item = Attack == PoisoningAttack.RandomReport ? random.NextBelow(oracle.Items) : targets[random.NextBelow(targets.Length)];
            BinaryPrimitives.WriteInt32LittleEndian(report, item);
        }
        else if (oracle is LocalHashing hashing)
        {
            WriteHashed(hashing, report, random, assignedSeed);
        }
        else
        {
            WriteUnary(report, random);
        }
    }

    /// <summary>The seed and the bucket that the most of r values fall into, the best of some seeds or of the one given.</summary>
    internal static (ulong Seed, int Bucket) BestBucket(LocalHashing hashing, ReadOnlySpan<ulong> values, int seedTrials, IRandomSource random, ulong? assignedSeed)
    {
        var (bestSeed, bestBucket, most) = (0UL, 0, 0);
        var counts = new Dictionary<int, int>();
        for (var trial = 0; trial < (assignedSeed is null ? seedTrials : 1) && most < values.Length; trial++)
        {
            var seed = assignedSeed ?? random.NextUInt64();
            counts.Clear();
            foreach (var value in values)
            {
                var bucket = hashing.Bucket(seed, value);
                var count = counts[bucket] = counts.GetValueOrDefault(bucket) + 1;
                if (count > most)
                {
                    (bestSeed, bestBucket, most) = (seed, bucket, count);
                }
            }
        }

        return (bestSeed, bestBucket);
    }

    private void WriteHashed(LocalHashing hashing, Span<byte> report, IRandomSource random, ulong? assignedSeed)
    {
        var (seed, bucket) = Attack == PoisoningAttack.RandomReport
            ? (assignedSeed ?? random.NextUInt64(), random.NextBelow(hashing.Buckets))
            : BestBucket(hashing, [.. targets.Select(t => (ulong)t)], seedTrials, random, assignedSeed);
        LocalHashing.WriteReport(seed, bucket, report);
    }

    private void WriteUnary(Span<byte> report, IRandomSource random)
    {
        if (Attack == PoisoningAttack.RandomReport)
        {
            for (var v = 0; v < oracle.Items; v++)
            {
                report[v / 8] |= (byte)((random.NextBit() ? 1 : 0) << (v % 8));
            }

            return;
        }

        var expected = (int)Math.Floor(oracle.TrueSupport + ((oracle.Items - 1) * oracle.FalseSupport) + 1e-9);
        var padding = Math.Clamp(expected - targets.Length, 0, others.Length);
        foreach (var v in targets.Concat(random.NextSubset(others.Length, padding).Select(i => others[i])))
        {
            report[v / 8] |= (byte)(1 << (v % 8));
        }
    }
}
