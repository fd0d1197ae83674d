namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// Heavy hitters of several parties whose clients differ, each party with a server of its own: clients report once, ε-locally privately, to their own
/// party; parties hand each other estimates only, which are private already. Finds the k items of largest share in all clients together.
/// </summary>
/// <remarks>
/// After "TAPS" (target-aligning prefix trees with consensus-based pruning), of which only the abstract was at hand: **this is the project's own
/// variant**, by the plan of privacy.md §3.4.
/// <code>
/// 1 aligning    the first levels are searched with all parties' estimates averaged by size: all start from globally frequent prefixes
/// 2 extension   at a later level a party extends every prefix with e ≥ max(e_(k) − c·sd, z·sd), between k and m·k of them
/// 3 consensus   parties take turns; each is handed the average over those before it, with its interval. A prefix whose interval ends below the party's own
///               k-th less c·sd, and that is not in its own top k, is pruned; one whose interval begins above the own k-th is taken in if e > −sd
/// 4 at the end  every party estimates the union of all last candidates from reports it has; averages by size are ranked
/// </code>
/// k times the tree's breadth stands for k at all but the last level; sd is the deviation of a rare prefix's estimate. A client's report is one call of the oracle: ε-LDP, whatever is exchanged afterwards. Broken by a second
/// report of the same client. Cost: m·k·2^η·n_j hashes a group and party.
/// </remarks>
public sealed class TargetAlignedSearch
{
    private readonly PrefixExtension protocol;
    private readonly PrefixExtensionOptions tree;
    private readonly TargetAlignedOptions options;

    public TargetAlignedSearch(PrefixExtensionOptions tree, TargetAlignedOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        protocol = new PrefixExtension(tree);
        if (options.SharedLevels < 1 || options.LargestExtension < 1 || !(options.Slack >= 0) || !(options.Significance >= 0) || !(options.Confidence > 0))
        {
            throw new PrivacyException(
                $"Target alignment needs a shared level, an extension of 1 or more and thresholds of 0 or more; they are {options.SharedLevels}, "
                + $"{options.LargestExtension}, {options.Slack}, {options.Significance} and {options.Confidence}.");
        }

        (this.tree, this.options) = (tree, options);
    }

    /// <summary>What a client runs, and its groups: those of the prefix tree.</summary>
    public PrefixExtension Protocol => protocol;

    /// <summary>The k items of largest estimated share in all clients, largest first.</summary>
    /// <param name="parties">Each party's reports, of all groups, in the order of turns.</param>
    public IReadOnlyList<(ulong Item, double Frequency)> Identify(IReadOnlyList<IReadOnlyList<PrefixReport>> parties)
    {
        ArgumentNullException.ThrowIfNull(parties);
        if (parties.Count == 0)
        {
            throw new PrivacyException("A search needs a party or more.");
        }

        var reports = parties.Select(p => p.ToLookup(r => r.Group)).ToArray();
        var last = protocol.Groups - 1;
        PrefixEstimate[] shared = [];
        var level = 0;
        for (; level < Math.Min(options.SharedLevels, protocol.Groups); level++)
        {
            shared = protocol.Keep(level, Pooled(reports, level, protocol.Candidates(level, shared)));
        }

        if (level > last)
        {
            return Ranked(shared);
        }

        var kept = Enumerable.Repeat(shared, parties.Count).ToArray();
        for (; level < last; level++)
        {
            var handed = new Dictionary<ulong, Handed>();
            for (var party = 0; party < parties.Count; party++)
            {
                kept[party] = Extend(level, reports[party], kept[party], handed);
            }
        }

        ulong[] union = [.. kept.SelectMany(k => protocol.Candidates(last, k)).Distinct().Order()];
        return Ranked(protocol.Keep(last, Pooled(reports, last, union)));
    }

    private PrefixEstimate[] Extend(int level, ILookup<int, PrefixReport> reports, PrefixEstimate[] before, Dictionary<ulong, Handed> handed)
    {
        // What earlier parties found frequent is validated with the own reports: a report speaks of every prefix.
        var size = reports[level].Count();
        ulong[] candidates = [.. protocol.Candidates(level, before).Union(handed.Where(h => h.Value.Interval(protocol, options.Confidence).Lower > 0).Select(h => h.Key).Order())];
        var own = protocol.Estimate(level, reports[level], candidates);
        var deviation = protocol.EstimateDeviation(size);
        var ranked = own.OrderByDescending(e => e.Frequency).ThenBy(e => e.Prefix).ToArray();
        var wanted = tree.HeavyHitters * tree.Breadth;
        var least = ranked[Math.Min(wanted, ranked.Length) - 1].Frequency;
        var threshold = Math.Max(least - (options.Slack * deviation), options.Significance * deviation);
        var extended = new List<PrefixEstimate>();
        for (var i = 0; i < ranked.Length; i++)
        {
            var (prefix, frequency) = ranked[i];
            var word = handed.GetValueOrDefault(prefix);
            var (lower, upper) = word is null ? (double.NegativeInfinity, double.PositiveInfinity) : word.Interval(protocol, options.Confidence);
            var top = i < wanted;
            var infrequent = !top && upper < least - (options.Slack * deviation);
            var frequent = lower > least && frequency > -deviation;
            if (frequent || (!infrequent && (top || frequency >= threshold)))
            {
                extended.Add(ranked[i]);
            }
        }

        foreach (var estimate in own)
        {
            var word = handed.GetValueOrDefault(estimate.Prefix) ?? new Handed(0, 0);
            handed[estimate.Prefix] = word.With(estimate.Frequency, size);
        }

        return [.. extended.OrderByDescending(e => e.Frequency).ThenBy(e => e.Prefix).Take(options.LargestExtension * wanted)];
    }

    private PrefixEstimate[] Pooled(ILookup<int, PrefixReport>[] reports, int level, ulong[] candidates)
    {
        var sum = new double[candidates.Length];
        double clients = 0;
        foreach (var party in reports)
        {
            var size = party[level].Count();
            var own = protocol.Estimate(level, party[level], candidates);
            for (var c = 0; c < sum.Length; c++)
            {
                sum[c] += size * own[c].Frequency;
            }

            clients += size;
        }

        // Rounded far below any deviation, so that estimates that are equal in exact arithmetic stay equal, and ties go to the smaller prefix.
        return [.. candidates.Zip(sum, (prefix, total) => new PrefixEstimate(prefix, Math.Round(total / clients, 12)))];
    }

    private static IReadOnlyList<(ulong Item, double Frequency)> Ranked(PrefixEstimate[] kept) => [.. kept.Select(k => (k.Prefix, k.Frequency))];

    /// <summary>What earlier parties found of a prefix, averaged by their sizes.</summary>
    private sealed record Handed(double Frequency, int Clients)
    {
        public Handed With(double frequency, int clients) =>
            new(((Frequency * Clients) + (frequency * clients)) / (Clients + clients), Clients + clients);

        public (double Lower, double Upper) Interval(PrefixExtension protocol, double confidence)
        {
            var reach = confidence * protocol.EstimateDeviation(Clients);
            return (Frequency - reach, Frequency + reach);
        }
    }
}
