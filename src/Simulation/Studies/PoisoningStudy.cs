using System.Globalization;
using Federated.Privacy.Analytics;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Frequencies.Poisoning;
using Federated.Privacy.Randomness;

namespace Federated.Simulation.Studies;

/// <summary>
/// What fake clients gain for words that nobody says, computed and measured, and what each defence leaves of it: against frequency oracles over the
/// 95 most frequent words and five targets, and against the prefix tree over all words.
/// </summary>
/// <remarks>
/// Attacks and gains of Cao, Jia, Gong, USENIX Security 2021; defences of <see cref="DefendedFrequencies"/> and <see cref="AssignedSeeds"/>.
/// The gain is the targets' estimated share (their true one is 0); <c>computed</c> is the closed form for the attack without a defence, or with assigned
/// seeds. <c>f1</c>: how many of the true ten most frequent words are among the ten of largest estimate.
/// </remarks>
public sealed class PoisoningStudy : Study
{
    private const int Known = 95;
    private const int Clients = 20_000;
    private const int SeedTrials = 600;
    private static readonly string[] Targets = ["zyxwvu", "qqqq", "xylo", "wwjd", "zzz"];

    private static readonly (string Name, FrequencyDefenceOptions Options)[] Defences =
    [
        ("none", Nothing),
        ("norm-sub", Nothing with { NormSub = true }),
        ("validity", Nothing with { Validity = true }),
        ("sets", Nothing with { Sets = true }),
        ("single target", Nothing with { SingleTarget = true }),
        ("recovery", Nothing with { RecoverShare = 0.05 }),
        ("all", new FrequencyDefenceOptions()),
    ];

    public override string Name => "poisoning";

    public override string Description => "What fake clients gain for words that nobody says, and what each defence leaves of it.";

    public override IReadOnlyList<string> SettingColumns => ["structure", "epsilon", "fakes", "targets", "attack", "defence"];

    public override IReadOnlyList<string> ValueColumns => ["gain", "computed", "targets_in_top_10", "f1"];

    private static FrequencyDefenceOptions Nothing => new() { Validity = false, Sets = false, SingleTarget = false, NormSub = false };

    public override IEnumerable<StudyRow> Run(StudyInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        var words = SpokenWords.Load(input.DataDirectory).Roles.SelectMany(r => r.Words).ToArray();
        foreach (var row in Oracles(words, input, cancellation).Concat(Trees(words, input, cancellation)))
        {
            yield return row;
        }
    }

    private IEnumerable<StudyRow> Oracles(string[] words, StudyInput input, CancellationToken cancellation)
    {
        var shares = HeavyHitterStudy.Shares(words);
        ulong[] known = [.. shares.OrderByDescending(s => s.Value).ThenBy(s => s.Key).Take(Known).Select(s => s.Key)];
        var index = known.Select((code, i) => (code, i)).ToDictionary(p => p.code, p => p.i);
        using var draw = SimulationRandom.Derive(input.Seed, Name, 0);
        var items = new List<int>();
        while (items.Count < Clients)
        {
            if (index.TryGetValue(WordCode.Encode(words[draw.NextBelow(words.Length)], HeavyHitterStudy.Letters), out var item))
            {
                items.Add(item);
            }
        }

        foreach (var (name, epsilon, share, r) in Settings())
        {
            var oracle = FrequencyOracles.Create(name, epsilon, Known + Targets.Length);
            int[] targets = [.. Enumerable.Range(Known, r)];
            using var random = SimulationRandom.Derive(input.Seed, Name, 1, name[1], (long)(10 * epsilon), (long)(100 * share), r);
            var seeds = new AssignedSeeds(new byte[AssignedSeeds.KeyBytes]);
            foreach (var attack in Enum.GetValues<PoisoningAttack>())
            {
                foreach (var assigned in oracle is LocalHashing && attack == PoisoningAttack.Maximal ? (bool[])[false, true] : [false])
                {
                    cancellation.ThrowIfCancellationRequested();
                    var reports = Reports(oracle, items, new FakeReports(oracle, targets, attack, SeedTrials), share, assigned ? seeds : null, random);
                    foreach (var (defence, options) in assigned ? [("seeds", Nothing), ("seeds, all", new FrequencyDefenceOptions())] : Defences)
                    {
                        // Each defence where it can do something; all of them against every attack.
                        if (defence is not ("none" or "all" or "norm-sub" or "seeds" or "seeds, all") && (attack == PoisoningAttack.RandomItem || oracle is GeneralizedRandomizedResponse))
                        {
                            continue;
                        }

                        if ((defence == "single target" && (oracle is not UnaryEncoding || r > 1)) || (defence == "sets" && r == 1))
                        {
                            continue;
                        }

                        var estimate = DefendedFrequencies.Estimate(oracle, reports, options).Frequencies;
                        int[] top = [.. Enumerable.Range(0, oracle.Items).OrderByDescending(v => estimate[v]).Take(HeavyHitterStudy.Top)];
                        yield return Row(
                            name, epsilon, share, r, attack, defence, targets.Sum(t => estimate[t]),
                            Computed(oracle, epsilon, share, r, attack, assigned), top.Count(v => targets.Contains(v)), top.Count(v => v < HeavyHitterStudy.Top));
                    }
                }
            }
        }
    }

    private static IEnumerable<(string Oracle, double Epsilon, double Share, int Targets)> Settings()
    {
        foreach (var name in (string[])[FrequencyOracles.RandomizedResponse, FrequencyOracles.OptimizedUnary, FrequencyOracles.LocalHashing])
        {
            foreach (var epsilon in (double[])[0.5, 1, 2])
            {
                yield return (name, epsilon, 0.05, 5);
            }

            yield return (name, 1, 0.01, 5);
            yield return (name, 1, 0.05, 1);
        }
    }

    private IEnumerable<StudyRow> Trees(string[] words, StudyInput input, CancellationToken cancellation)
    {
        words = input.Largest > 0 ? [.. words.Take((int)input.Largest)] : words;
        var most = HeavyHitterStudy.Most(HeavyHitterStudy.Shares(words));
        ulong[] targets = [.. Targets.Select(t => WordCode.Encode(t, HeavyHitterStudy.Letters))];
        foreach (var epsilon in (double[])[1, 4])
        {
            var protocol = new PrefixExtension(new PrefixExtensionOptions
            {
                Epsilon = epsilon, ItemBits = WordCode.LetterBits * HeavyHitterStudy.Letters, HeavyHitters = HeavyHitterStudy.Top, StepBits = 6, Breadth = 2,
            });
            using var random = SimulationRandom.Derive(input.Seed, Name, 2, (long)(10 * epsilon));
            var honest = HeavyHitterStudy.Report(protocol, words, random);
            foreach (var share in (double[])[0.01, 0.05])
            {
                foreach (var attack in Enum.GetValues<PoisoningAttack>())
                {
                    foreach (var assigned in attack == PoisoningAttack.Maximal ? (bool[])[false, true] : [false])
                    {
                        cancellation.ThrowIfCancellationRequested();
                        var poisoning = new PrefixPoisoning(protocol, targets, attack, SeedTrials);
                        var seeds = new AssignedSeeds(new byte[AssignedSeeds.KeyBytes]);
                        var fakes = Enumerable.Range(0, (int)(share / (1 - share) * words.Length)).Select(i =>
                        {
                            var group = random.NextBelow(protocol.Groups);
                            return poisoning.Craft(group, random, assigned ? seeds.Seed(i.ToString(CultureInfo.InvariantCulture), group) : null);
                        });
                        PrefixReport[] all = [.. honest, .. fakes];
                        var leaves = protocol.Groups - 1;
                        foreach (var screened in (bool[])[false, true])
                        {
                            var left = all;
                            var screen = PrefixPoisoning.Screen(protocol);
                            var found = protocol.Identify(all, !screened ? null : (own, candidates) =>
                            {
                                var kept = screen(own, [.. candidates.Union(own[0].Group == leaves ? targets : [])]);
                                left = own[0].Group == leaves ? kept : left;
                                return kept;
                            });
                            yield return Row(
                                "tree", epsilon, share, targets.Length, attack, (assigned, screened) switch
                                {
                                    (false, false) => "none", (true, false) => "seeds", (false, true) => "screen", _ => "seeds, screen",
                                },
                                protocol.Estimate(leaves, left, targets).Sum(e => e.Frequency), poisoning.Gain(leaves, share, 0, assigned),
                                found.Count(f => targets.Contains(f.Item)), found.Count(f => most.Contains(f.Item)));
                        }
                    }
                }
            }
        }
    }

    private static List<ReadOnlyMemory<byte>> Reports(
        FrequencyOracle oracle, List<int> items, FakeReports attack, double share, AssignedSeeds? seeds, SimulationRandom random)
    {
        var fakes = (int)Math.Round(share / (1 - share) * items.Count);
        var reports = new List<ReadOnlyMemory<byte>>(items.Count + fakes);
        for (var i = 0; i < items.Count + fakes; i++)
        {
            var report = new byte[oracle.ReportBytes];
            ulong? seed = seeds?.Seed(i.ToString(CultureInfo.InvariantCulture), 0);
            if (i >= items.Count)
            {
                attack.Write(report, random, seed);
            }
            else if (seed is { } given)
            {
                ((LocalHashing)oracle).Randomize(items[i], given, report, random);
            }
            else
            {
                oracle.Randomize(items[i], report, random);
            }

            reports.Add(report);
        }

        return reports;
    }

    private static double Computed(FrequencyOracle oracle, double epsilon, double share, int r, PoisoningAttack attack, bool assigned) => attack switch
    {
        PoisoningAttack.RandomReport => PoisoningGain.RandomReport(oracle.Name, share, r, oracle.Items, 0),
        PoisoningAttack.RandomItem => PoisoningGain.RandomItem(share, 0),
        _ => assigned ? PoisoningGain.AssignedSeed(epsilon, share, r, 0)
            : PoisoningGain.Supporting(oracle.TrueSupport, oracle.FalseSupport, share, oracle is GeneralizedRandomizedResponse ? 1 : r, r, 0),
    };

    private static StudyRow Row(
        string structure, double epsilon, double share, int targets, PoisoningAttack attack, string defence, double gain, double computed, int promoted, int found) =>
        new(
            [
                structure, epsilon.ToString(CultureInfo.InvariantCulture), share.ToString("P0", CultureInfo.InvariantCulture), targets.ToString(CultureInfo.InvariantCulture),
                attack switch { PoisoningAttack.RandomReport => "random report", PoisoningAttack.RandomItem => "random target", _ => "maximal" }, defence,
            ],
            [gain, computed, promoted, (double)found / HeavyHitterStudy.Top]);
}
