using System.Globalization;
using Federated.Privacy.Analytics;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Randomness;

namespace Federated.Simulation.Studies;

/// <summary>
/// The ten most frequent words of Shakespeare's plays from one ε-locally private report: of each word spoken, of each speaking role (a word drawn from
/// what it says), and with the roles split over eight parties that search each alone, or aligned.
/// </summary>
/// <remarks>
/// Protocols: <see cref="PrefixExtension"/> over all; its results of each party merged by share; <see cref="TargetAlignedSearch"/>. Words of up to eight
/// letters at 5 bits each. F1 is the share of the ten found, since ten are returned; the share's error is over the found ones.
/// </remarks>
public sealed class HeavyHitterStudy : Study
{
    internal const int Top = 10;
    internal const int Letters = 8;
    internal const int Breadth = 3;
    private const int PartyCount = 8;
    private static readonly double[] Epsilons = [0.5, 1, 2, 4, 8];

    public override string Name => "heavy-hitters";

    public override string Description => "The ten most frequent words from one private report each: by word or by speaking role, pooled or in eight parties.";

    public override IReadOnlyList<string> SettingColumns => ["a_report_of", "search", "epsilon"];

    public override IReadOnlyList<string> ValueColumns => ["reports", "f1", "share_error", "share_deviation"];

    public override IEnumerable<StudyRow> Run(StudyInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        var plays = SpokenWords.Load(input.DataDirectory);
        var parties = plays.Parties(PartyCount);
        using var draw = SimulationRandom.Derive(input.Seed, Name, 0);
        var roles = plays.Roles.Select(r => r.Words[draw.NextBelow(r.Words.Length)]).ToArray();
        var capped = parties.Select(p => input.Largest > 0 ? p.Take((int)(input.Largest / PartyCount)).ToArray() : p).ToArray();
        var all = capped.SelectMany(p => p).ToArray();
        foreach (var epsilon in Epsilons)
        {
            var tree = new PrefixExtensionOptions { Epsilon = epsilon, ItemBits = WordCode.LetterBits * Letters, HeavyHitters = Top, StepBits = 6, Breadth = Breadth };
            var protocol = new PrefixExtension(tree);
            cancellation.ThrowIfCancellationRequested();
            using var random = SimulationRandom.Derive(input.Seed, Name, 1, (long)(10 * epsilon));
            var reports = capped.Select(p => Report(protocol, p, random)).ToArray();
            yield return Row("a word", "pooled", protocol, all, protocol.Identify(reports.SelectMany(r => r)));
            yield return Row("a word", "separate", protocol, all, Merge(capped, [.. reports.Select(r => protocol.Identify(r))]));
            yield return Row("a word", "aligned", protocol, all, new TargetAlignedSearch(tree, new TargetAlignedOptions()).Identify(reports));

            // The best that so few reports can do: the truth they are scored against is that of all words.
            yield return Row("a role", "pooled", protocol, all, protocol.Identify(Report(protocol, roles, random)), roles.Length);
        }
    }

    internal static PrefixReport[] Report(PrefixExtension protocol, string[] words, SimulationRandom random)
    {
        // Every group must have a report: with few clients they take turns in random order.
        var groups = Enumerable.Range(0, words.Length).Select(i => i % protocol.Groups).ToArray();
        random.Shuffle(groups.AsSpan());
        return [.. words.Select((word, i) => protocol.Randomize(WordCode.Encode(word, Letters), groups[i], random))];
    }

    internal static Dictionary<ulong, double> Shares(string[] words) => words
        .GroupBy(w => WordCode.Encode(w, Letters)).ToDictionary(g => g.Key, g => (double)g.Count() / words.Length);

    internal static HashSet<ulong> Most(Dictionary<ulong, double> shares) => [.. shares.OrderByDescending(s => s.Value).ThenBy(s => s.Key).Take(Top).Select(s => s.Key)];

    private static IReadOnlyList<(ulong Item, double Frequency)> Merge(string[][] parties, IReadOnlyList<(ulong Item, double Frequency)>[] found)
    {
        var total = (double)parties.Sum(p => p.Length);
        return [.. found.SelectMany((f, p) => f.Select(x => (x.Item, Share: x.Frequency * parties[p].Length / total)))
            .GroupBy(x => x.Item).Select(g => (g.Key, g.Sum(x => x.Share))).OrderByDescending(x => x.Item2).ThenBy(x => x.Key).Take(Top)];
    }

    private static StudyRow Row(
        string unit, string search, PrefixExtension protocol, string[] truth, IReadOnlyList<(ulong Item, double Frequency)> found, int reports = 0)
    {
        var shares = Shares(truth);
        var hits = found.Where(f => Most(shares).Contains(f.Item)).ToArray();
        reports = reports > 0 ? reports : truth.Length;
        return new(
            [unit, search, protocol.Epsilon.ToString("G3", CultureInfo.InvariantCulture)],
            [
                reports, (double)hits.Length / Top, hits.Length > 0 ? hits.Average(h => Math.Abs(h.Frequency - shares[h.Item])) : 0,
                protocol.EstimateDeviation(reports / protocol.Groups),
            ]);
    }
}
