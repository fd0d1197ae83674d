using System.Globalization;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Frequencies.Poisoning;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Analytics;

/// <summary>Shares of bins or categories by a frequency oracle. Intervals are of each share on its own, over the clients that reported.</summary>
/// <remarks>Cost: the oracle's; with defences that of <see cref="SuspiciousSets"/>.</remarks>
public sealed class HistogramAnalysis : PrivateAnalysis
{
    private readonly HistogramOptions options;
    private readonly FrequencyOracle oracle;

    public HistogramAnalysis(HistogramOptions options)
        : base(options)
    {
        if (options.Edges.Count > 0 == options.Categories.Count > 0)
        {
            throw new PrivacyException("A histogram needs either edges between bins or categories.");
        }

        if (options.Edges.Zip(options.Edges.Skip(1)).Any(pair => !(pair.First < pair.Second)) || options.Edges.Any(e => !double.IsFinite(e)) || options.Edges.Count == 1
            || options.Categories.Distinct(StringComparer.Ordinal).Count() != options.Categories.Count || options.Categories.Count == 1)
        {
            throw new PrivacyException("Edges must be finite and ascending, three or more for two bins or more (two edges are one bin), and categories two or more and different.");
        }

        this.options = options;
        Names = options.Categories.Count > 0
            ? options.Categories
            : [.. options.Edges.Zip(options.Edges.Skip(1), (a, b) => string.Create(CultureInfo.InvariantCulture, $"[{a:G6}, {b:G6})"))];
        oracle = AnalysisOracle.Create(options.Oracle, options.Epsilon, Names.Count);
    }

    public override string Kind => AnalysisKinds.Histogram;

    public override double Epsilon => oracle.Epsilon;

    public override int ReportBytes => oracle.ReportBytes;

    public override bool AsksForNumber => options.Edges.Count > 0;

    public override IReadOnlyList<string> Names { get; }

    public override AnalysisResult Estimate(ReportStore reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        if (reports.Count == 0)
        {
            throw new PrivacyException("A histogram needs a report or more.");
        }

        var estimate = DefendedFrequencies.Estimate(
            oracle, reports.Of(0), new FrequencyDefenceOptions { Validity = false, Sets = options.Defences, SingleTarget = options.Defences, NormSub = false });
        List<string> notes = [string.Create(CultureInfo.InvariantCulture, $"Oracle {oracle.Name}. Shares are without bias: they may be below 0, and sum to about 1.")];
        if (estimate.Removed > 0)
        {
            notes.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{estimate.Removed:F0} reports were taken out as crafted: they pushed {string.Join("; ", estimate.Sets.Select(s => string.Join(", ", s.Values.Select(v => Names[v]))).Concat(estimate.Pushed.Select(p => Names[p.Item])))}."));
        }

        return new(
            Kind, estimate.Reports, options.Confidence,
            [.. Names.Zip(estimate.Frequencies, (name, f) =>
            {
                var reach = Reach * Math.Sqrt(AnalysisOracle.Variance(oracle, f, 1) / estimate.Reports);
                return new AnalysisEstimate(name, f, Math.Max(0, f - reach), Math.Min(1, f + reach));
            })],
            notes);
    }

    private protected override void Write(AnalysisAnswer answer, Ticket ticket, Span<byte> report, IRandomSource random) =>
        AnalysisOracle.Randomize(oracle, Item(answer), ticket, report, random);

    private protected override string? Look(ReadOnlySpan<byte> report, Ticket ticket) => AnalysisOracle.Problem(oracle, report, ticket);

    private int Item(AnalysisAnswer answer)
    {
        if (!AsksForNumber)
        {
            for (var c = 0; c < options.Categories.Count - 1; c++)
            {
                if (string.Equals(options.Categories[c], answer.Text, StringComparison.OrdinalIgnoreCase))
                {
                    return c;
                }
            }

            return options.Categories.Count - 1;
        }

        var bin = 0;
        while (bin < Names.Count - 1 && answer.Number >= options.Edges[bin + 1])
        {
            bin++;
        }

        return bin;
    }
}
