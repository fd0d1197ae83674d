using System.Numerics;
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
/// Deviation: a breadth, 1 in the paper. Cost: O(1) a client; k·2^η·n_j hashes a group, times the breadth. With few clients or small ε the answer is noise: at n = 2·10⁴, ε = 1 one
/// in ten is right; see <see cref="EstimateDeviation"/>.
/// </remarks>
public sealed class PrefixExtension
{
    private const double MostCandidates = 1 << 24;
    private readonly PrefixExtensionOptions options;
    private readonly LocalHashing hashing;
    private readonly int[] lengths;

    public PrefixExtension(PrefixExtensionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ItemBits is < 2 or > 64 || options.StepBits is < 1 or > 16 || options.HeavyHitters < 1
            || options.Breadth is < 1 or > 16 || options.HeavyHitters * options.Breadth * Math.ScaleB(1, options.StepBits) > MostCandidates)
        {
            throw new PrivacyException(
                $"Prefix extension needs items of 2 to 64 bits, steps of 1 to 16, and at most {MostCandidates} candidates (heavyHitters·breadth·2^stepBits); "
                + $"they are {options.ItemBits}, {options.StepBits} and {options.HeavyHitters * options.Breadth * Math.ScaleB(1, options.StepBits)}.");
        }

        this.options = options;
        hashing = new LocalHashing(options.Epsilon, items: 2);
        var first = Math.Clamp(BitOperations.Log2((uint)(options.HeavyHitters * options.Breadth) - 1 | 1) + 1, 1, options.ItemBits);
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

    /// <summary>s_j, the bits that a group reports; the last group reports whole items.</summary>
    public int PrefixBits(int group) => lengths[group];

    internal LocalHashing Hashing => hashing;

    /// <summary>The client's side, with a fresh seed of its own.</summary>
    /// <param name="item">Below 2^L.</param>
    /// <param name="group">Its group.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public PrefixReport Randomize(ulong item, int group, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return Randomize(item, group, random.NextUInt64(), random);
    }

    /// <summary>The client's side, under the seed that the server assigned to it.</summary>
    /// <param name="item">Below 2^L.</param>
    /// <param name="group">Its group.</param>
    /// <param name="seed">Of its hash; public.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public PrefixReport Randomize(ulong item, int group, ulong seed, IRandomSource random) =>
        new(group, seed, hashing.Respond(seed, Prefix(item, group), random));

    /// <summary>The bits of an item that its group reports.</summary>
    public ulong Prefix(ulong item, int group)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(group);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(group, Groups);
        if (options.ItemBits < 64 && item >> options.ItemBits != 0)
        {
            throw new PrivacyException($"Items have {options.ItemBits} bits; {item} has more.");
        }

        return item >> (options.ItemBits - lengths[group]);
    }

    /// <summary>What a group's reports are searched for: every prefix of the first length, later the extensions of what the group before kept.</summary>
    public ulong[] Candidates(int group, IReadOnlyList<PrefixEstimate> keptBefore)
    {
        ArgumentNullException.ThrowIfNull(keptBefore);
        if (group == 0)
        {
            return [.. Enumerable.Range(0, 1 << lengths[0]).Select(p => (ulong)p)];
        }

        var extension = lengths[group] - lengths[group - 1];
        return [.. keptBefore.SelectMany(k => Enumerable.Range(0, 1 << extension).Select(bits => (k.Prefix << extension) | (uint)bits))];
    }

    /// <summary>The server's side of one group: the estimated share of each candidate, without bias. Reports of other groups and of buckets that do not exist are left out.</summary>
    /// <exception cref="PrivacyException">No report of the group is there.</exception>
    public PrefixEstimate[] Estimate(int group, IEnumerable<PrefixReport> reports, ReadOnlySpan<ulong> candidates)
    {
        ArgumentNullException.ThrowIfNull(reports);
        PrefixReport[] own = [.. reports.Where(r => r.Group == group && (uint)r.Bucket < (uint)hashing.Buckets)];
        if (own.Length == 0)
        {
            throw new PrivacyException("Every group needs a report or more: draw groups uniformly, and among enough clients.");
        }

        var support = hashing.CountSupport(own, candidates.ToArray());
        var estimates = new PrefixEstimate[candidates.Length];
        for (var c = 0; c < estimates.Length; c++)
        {
            estimates[c] = new(candidates[c], (((double)support[c] / own.Length) - hashing.FalseSupport) / (hashing.TrueSupport - hashing.FalseSupport));
        }

        return estimates;
    }

    /// <summary>Those of largest estimate, largest first; of equal ones the smaller prefix first: k in the last group, k times the breadth in others.</summary>
    public PrefixEstimate[] Keep(int group, IEnumerable<PrefixEstimate> estimates) => [.. estimates
        .OrderByDescending(e => e.Frequency).ThenBy(e => e.Prefix).Take(options.HeavyHitters * (group == Groups - 1 ? 1 : options.Breadth))];

    /// <summary>
    /// The server's side: the k items of largest estimated frequency in the last group, largest first. Reports of no group or bucket that exists
    /// are dropped.
    /// </summary>
    /// <param name="reports">Of all groups.</param>
    /// <param name="screen">Takes a group's reports and candidates and returns the reports to count: a defence, or nothing.</param>
    public IReadOnlyList<(ulong Item, double Frequency)> Identify(
        IEnumerable<PrefixReport> reports, Func<PrefixReport[], ulong[], PrefixReport[]>? screen = null)
    {
        ArgumentNullException.ThrowIfNull(reports);
        var groups = reports.Where(r => (uint)r.Bucket < (uint)hashing.Buckets).ToLookup(r => r.Group);
        PrefixEstimate[] kept = [];
        for (var group = 0; group < Groups; group++)
        {
            var candidates = Candidates(group, kept);
            PrefixReport[] own = [.. groups[group]];
            kept = Keep(group, Estimate(group, screen is null ? own : screen(own, candidates), candidates));
        }

        return [.. kept.Select(k => (k.Prefix, k.Frequency))];
    }
}
