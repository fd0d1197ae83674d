using System.Buffers.Binary;
using System.Globalization;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Frequencies.Poisoning;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Analytics;

/// <summary>The most frequent words by the prefix tree, level after level of clients' groups, with the server's seeds and screened for fakes.</summary>
/// <remarks>
/// <see cref="PrefixExtension"/> over <see cref="WordCode"/>. A client's report does not depend on what other groups said, so that groups may report in
/// any order; shares come from the last group, which alone reports whole words. Their intervals hold for a word chosen in advance; that the largest of many are
/// chosen makes them optimistic at the end of the list. Cost: k·2^η·n_j hashes a group.
/// </remarks>
public sealed class HeavyHittersAnalysis : PrivateAnalysis
{
    private readonly HeavyHittersOptions options;
    private readonly PrefixExtension protocol;

    public HeavyHittersAnalysis(HeavyHittersOptions options)
        : base(options)
    {
        this.options = options;
        protocol = new PrefixExtension(new PrefixExtensionOptions
        {
            Epsilon = options.Epsilon, ItemBits = WordCode.LetterBits * options.Letters, HeavyHitters = options.Count, StepBits = options.StepBits, Breadth = options.Breadth,
        });
    }

    public override string Kind => AnalysisKinds.HeavyHitters;

    public override double Epsilon => protocol.Epsilon;

    public override int ReportBytes => sizeof(ulong) + sizeof(int);

    public override int Groups => protocol.Groups;

    public override bool AsksForNumber => false;

    public override IReadOnlyList<string>? Names => null;

    public override AnalysisResult Estimate(ReportStore reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        var all = new List<PrefixReport>(reports.Count);
        for (var g = 0; g < Groups; g++)
        {
            for (var i = 0; i < reports.CountOf(g); i++)
            {
                all.Add(new PrefixReport(g, reports.Seed(g, i), BinaryPrimitives.ReadInt32LittleEndian(reports.Report(g, i)[sizeof(ulong)..])));
            }
        }

        var removed = 0;
        var screen = PrefixPoisoning.Screen(protocol);
        var found = protocol.Identify(all, !options.Defences ? null : (own, candidates) =>
        {
            var left = screen(own, candidates);
            removed += own.Length - left.Length;
            return left;
        });
        var last = reports.CountOf(Groups - 1);
        var deviation = protocol.EstimateDeviation(last);
        List<string> notes = [string.Create(
            CultureInfo.InvariantCulture,
            $"{Groups} groups of {reports.Count / Groups} clients or so; a rare word's share has a deviation of {deviation:G3}: words below {2 * deviation:G3} are guesses.")];
        if (removed > 0)
        {
            notes.Add($"{removed} reports were taken out as crafted: each supported a set of prefixes that honest reports do not support together.");
        }

        return new(
            Kind, reports.Count, options.Confidence,
            [.. found.Select(f =>
            {
                var reach = Reach * Math.Sqrt(AnalysisOracle.Variance(protocol.Hashing, f.Frequency, (double)last / reports.Count) / last);
                return new AnalysisEstimate(WordCode.Decode(f.Item, options.Letters), f.Frequency, Math.Max(0, f.Frequency - reach), Math.Min(1, f.Frequency + reach));
            })],
            notes);
    }

    private protected override void Write(AnalysisAnswer answer, Ticket ticket, Span<byte> report, IRandomSource random)
    {
        var own = protocol.Randomize(WordCode.Encode(answer.Text ?? "", options.Letters), ticket.Group, ticket.Seed, random);
        LocalHashing.WriteReport(own.Seed, own.Bucket, report);
    }

    private protected override string? Look(ReadOnlySpan<byte> report, Ticket ticket) => AnalysisOracle.Problem(protocol.Hashing, report, ticket);
}
