using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>Fake clients against the prefix tree: what they send, what each level's estimates gain, and the screen that takes them out again.</summary>
/// <remarks>
/// The attacks of Cao, Jia, Gong, USENIX Security 2021, at every level: in group j the targets are the distinct prefixes of the target items, and a
/// target stays in the search if its prefix is kept at every level. Fewer distinct prefixes near the root are pushed by all fakes together, so that gains are
/// largest where the tree is widest: at the leaves r items share them. Deviation: none. Cost: seedTrials·r hashes a report.
/// </remarks>
public sealed class PrefixPoisoning
{
    /// <summary>Candidates of a group that are searched for suspicious sets: those of most support.</summary>
    private const int MostScreened = 256;

    private readonly PrefixExtension protocol;
    private readonly ulong[] targets;
    private readonly PoisoningAttack attack;
    private readonly int seedTrials;

    /// <param name="protocol">The search.</param>
    /// <param name="targets">r items.</param>
    /// <param name="attack">What is sent.</param>
    /// <param name="seedTrials">Seeds tried for one report.</param>
    public PrefixPoisoning(PrefixExtension protocol, IReadOnlyList<ulong> targets, PoisoningAttack attack, int seedTrials = 1000)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        ArgumentNullException.ThrowIfNull(targets);
        if (targets.Count == 0 || seedTrials < 1)
        {
            throw new PrivacyException($"Poisoning needs a target and a seed to try; there are {targets.Count} and {seedTrials}.");
        }

        (this.protocol, this.targets, this.attack, this.seedTrials) = (protocol, [.. targets.Distinct()], attack, seedTrials);
    }

    /// <summary>The distinct prefixes that fakes of a group push.</summary>
    public IReadOnlyList<ulong> TargetPrefixes(int group) => [.. targets.Select(t => protocol.Prefix(t, group)).Distinct()];

    /// <summary>One fake report of a group.</summary>
    /// <param name="group">The group that the fake client was put into.</param>
    /// <param name="random">The attacker's coins.</param>
    /// <param name="assignedSeed">The seed that the server insists on; null where clients choose theirs.</param>
    public PrefixReport Craft(int group, IRandomSource random, ulong? assignedSeed = null)
    {
        ArgumentNullException.ThrowIfNull(random);
        switch (attack)
        {
            case PoisoningAttack.RandomReport:
                return new(group, assignedSeed ?? random.NextUInt64(), random.NextBelow(protocol.Hashing.Buckets));
            case PoisoningAttack.RandomItem:
                return protocol.Randomize(targets[random.NextBelow(targets.Length)], group, assignedSeed ?? random.NextUInt64(), random);
            default:
                var (seed, bucket) = FakeReports.BestBucket(protocol.Hashing, [.. TargetPrefixes(group)], seedTrials, random, assignedSeed);
                return new(group, seed, bucket);
        }
    }

    /// <summary>What all target prefixes of a group gain together, in expectation.</summary>
    /// <param name="group">The group.</param>
    /// <param name="share">β, the share of fakes among the group's reports.</param>
    /// <param name="targetFrequency">f_T of the target prefixes.</param>
    /// <param name="assignedSeeds">Whether the server chooses seeds.</param>
    public double Gain(int group, double share, double targetFrequency, bool assignedSeeds)
    {
        var r = TargetPrefixes(group).Count;
        var hashing = protocol.Hashing;
        var supported = attack switch
        {
            PoisoningAttack.RandomReport => r * hashing.FalseSupport,
            PoisoningAttack.RandomItem => hashing.TrueSupport + ((r - 1) * hashing.FalseSupport),
            _ => assignedSeeds ? PoisoningGain.LargestBucket(r, hashing.Buckets) : r,
        };
        return PoisoningGain.Supporting(hashing.TrueSupport, hashing.FalseSupport, share, supported, r, targetFrequency);
    }

    /// <summary>For <see cref="PrefixExtension.Identify"/>: leaves out reports of a group that support a suspicious set of its candidates.</summary>
    /// <param name="protocol">The search.</param>
    /// <param name="falseAlarm">η of a group.</param>
    public static Func<PrefixReport[], ulong[], PrefixReport[]> Screen(PrefixExtension protocol, double falseAlarm = 0.01)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        return (reports, candidates) =>
        {
            if (reports.Length == 0 || candidates.Length < 2)
            {
                return reports;
            }

            // A target that is pushed far enough to be kept is among the most supported: the others need no look, but count in the union bound.
            var support = protocol.Hashing.CountSupport(reports, candidates);
            ulong[] most = [.. candidates.Zip(support).OrderByDescending(c => c.Second).ThenBy(c => c.First).Take(MostScreened).Select(c => c.First)];
            var search = new SuspiciousSets(SupportMatrix.Of(protocol, reports, most), falseAlarm, population: candidates.Length);
            var fakes = search.Reports(search.Find());
            return fakes.Count == 0 ? reports : [.. reports.Where((_, i) => !fakes.Contains(i))];
        };
    }
}
