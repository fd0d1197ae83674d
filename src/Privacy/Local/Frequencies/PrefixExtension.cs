using System.Collections.Concurrent;
using System.Numerics;
using System.Numerics.Tensors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// Finds the most frequent of 2^L items: each client is in one group and reports, once and ε-locally privately, a prefix of its item; the
/// server extends the frequent prefixes from group to group.
/// </summary>
/// <remarks>
/// PEM: Wang, Li, Jha, "Locally Differentially Private Heavy Hitter Identification", IEEE TDSC 2021, https://arxiv.org/abs/1708.06674.
/// <code>
/// prefix lengths s_1 = ⌈log₂ k⌉, s_(j+1) = min(L, s_j + η); group j reports its first s_j bits by local hashing
/// candidates of group j+1 = kept of group j × {0,1}^(s_(j+1) − s_j); the k of largest estimate are kept
/// </code>
/// Deviation: none. Cost: O(1) a client; k·2^η·n_j hashes a group. With few clients or small ε the answer is noise: at n = 2·10⁴, ε = 1 one
/// in ten is right; see <see cref="EstimateDeviation"/>.
/// </remarks>
public sealed class PrefixExtension
{
    private const double Candidates = 1 << 24;
    private readonly PrefixExtensionOptions options;
    private readonly LocalHashing hashing;
    private readonly int[] lengths;

    public PrefixExtension(PrefixExtensionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ItemBits is < 2 or > 64 || options.StepBits is < 1 or > 16 || options.HeavyHitters < 1
            || options.HeavyHitters * Math.ScaleB(1, options.StepBits) > Candidates)
        {
            throw new PrivacyException(
                $"Prefix extension needs items of 2 to 64 bits, steps of 1 to 16, and at most {Candidates} candidates (heavyHitters·2^stepBits); "
                + $"they are {options.ItemBits}, {options.StepBits} and {options.HeavyHitters * Math.ScaleB(1, options.StepBits)}.");
        }

        this.options = options;
        hashing = new LocalHashing(options.Epsilon, items: 2);
        var first = Math.Clamp(BitOperations.Log2((uint)options.HeavyHitters - 1 | 1) + 1, 1, options.ItemBits);
        var all = new List<int> { first };
        while (all[^1] < options.ItemBits)
        {
            all.Add(Math.Min(options.ItemBits, all[^1] + options.StepBits));
        }

        lengths = [.. all];
    }

    /// <summary>g: a client draws its group uniformly, by coins that everybody may see.</summary>
    public int Groups => lengths.Length;

    /// <summary>The exact ε of a report.</summary>
    public double Epsilon => hashing.Epsilon;

    /// <summary>Standard deviation of a frequency estimated by one group of n_j clients, for rare items.</summary>
    public double EstimateDeviation(int groupSize) => Math.Sqrt(hashing.VariancePerReport(0) / groupSize);

    /// <summary>The client's side.</summary>
    /// <param name="item">Below 2^L.</param>
    /// <param name="group">Its group.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public PrefixReport Randomize(ulong item, int group, IRandomSource random)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(group);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(group, Groups);
        if (options.ItemBits < 64 && item >> options.ItemBits != 0)
        {
            throw new PrivacyException($"Items have {options.ItemBits} bits; {item} has more.");
        }

        var (seed, bucket) = hashing.Respond(item >> (options.ItemBits - lengths[group]), random);
        return new PrefixReport(group, seed, bucket);
    }

    /// <summary>
    /// The server's side: the k items of largest estimated frequency in the last group, largest first. Reports of no group or bucket that exists
    /// are dropped.
    /// </summary>
    public IReadOnlyList<(ulong Item, double Frequency)> Identify(IEnumerable<PrefixReport> reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        var groups = reports.Where(r => (uint)r.Bucket < (uint)hashing.Buckets).ToLookup(r => r.Group);
        var kept = Enumerable.Range(0, 1 << lengths[0]).Select(p => ((ulong)p, 0.0)).ToArray();
        for (var group = 0; group < Groups; group++)
        {
            var extension = group == 0 ? 0 : lengths[group] - lengths[group - 1];
            ulong[] candidates = [.. kept.SelectMany(k => Enumerable.Range(0, 1 << extension).Select(bits => (k.Item1 << extension) | (uint)bits))];
            var estimates = Estimate([.. groups[group]], candidates);
            kept = [.. candidates.Zip(estimates).OrderByDescending(c => c.Second).ThenBy(c => c.First).Take(options.HeavyHitters)];
        }

        return kept;
    }

    private double[] Estimate(PrefixReport[] reports, ulong[] candidates)
    {
        if (reports.Length == 0)
        {
            throw new PrivacyException("Every group needs a report or more: draw groups uniformly, and among enough clients.");
        }

        // Reports in slices, each with its own counts: integers, so that the sum does not depend on how they are sliced.
        var support = new long[candidates.Length];
        var sync = new Lock();
        Parallel.ForEach(
            Partitioner.Create(0, reports.Length),
            () => new long[candidates.Length],
            (slice, _, counts) =>
            {
                foreach (var report in reports.AsSpan(slice.Item1, slice.Item2 - slice.Item1))
                {
                    hashing.AddSupport(report.Seed, report.Bucket, candidates, counts);
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
        var estimates = new double[candidates.Length];
        for (var c = 0; c < estimates.Length; c++)
        {
            estimates[c] = (((double)support[c] / reports.Length) - hashing.FalseSupport) / (hashing.TrueSupport - hashing.FalseSupport);
        }

        return estimates;
    }
}
