using System.Globalization;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Analytics;

/// <summary>
/// Quantiles from a tree of dyadic intervals over the range: each client, in one of h groups, reports which interval of its group's level its number
/// is in. Intervals hold the quantile of all clients with the stated probability, and cannot be narrower than a bin.
/// </summary>
/// <remarks>
/// Hierarchical histograms: Cormode, Kulkarni, Srivastava, "Answering Range Queries Under Local Differential Privacy", VLDB 2019,
/// https://arxiv.org/abs/1812.10942; consistency as of Hay, Rastogi, Miklau, Suciu, "Boosting the Accuracy of Differentially Private Histograms Through
/// Consistency", VLDB 2010.
/// <code>
/// level l has 2^l intervals, own estimates of variance V_l = (n·Var)/n_l        root: 1 exactly
/// up     x = (y/V + s/S)/(1/V + 1/S), y own, s children's sum with S = 2·v_child;  v = 1/(1/V + 1/S)
/// down   each child gets half of what its parent has beyond its children
/// F(b)   sum of leaves below b; variance at most the Σ V of the intervals that make up [0, b), or [b, 2^h) if that is less
/// </code>
/// Deviation: variances differ by level, since the oracle is chosen by level. The interval of a quantile inverts F ± z·√V, which is conservative.
/// Cost: the oracle's with 2^h items.
/// </remarks>
public sealed class QuantilesAnalysis : PrivateAnalysis
{
    private readonly QuantilesOptions options;
    private readonly FrequencyOracle[] oracles;

    public QuantilesAnalysis(QuantilesOptions options)
        : base(options)
    {
        CheckRange(options.Lower, options.Upper);
        if (options.Levels is < 1 or > 16 || options.Probabilities.Count == 0 || options.Probabilities.Any(p => !(p is > 0 and < 1)))
        {
            throw new PrivacyException("Quantiles need 1 to 16 levels and probabilities strictly between 0 and 1.");
        }

        this.options = options;
        oracles = [.. Enumerable.Range(1, options.Levels).Select(l => AnalysisOracle.Create(AnalysisOracle.Automatic, options.Epsilon, 1 << l))];
    }

    public override string Kind => AnalysisKinds.Quantiles;

    public override double Epsilon => oracles.Max(o => o.Epsilon);

    public override int ReportBytes => oracles.Max(o => o.ReportBytes);

    public override int Groups => options.Levels;

    public override bool AsksForNumber => true;

    public override IReadOnlyList<string> Names => [.. options.Probabilities.Select(p => string.Create(CultureInfo.InvariantCulture, $"q{100 * p:G4}"))];

    public override AnalysisResult Estimate(ReportStore reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        var (cumulative, variances) = Distribution(reports);
        var bins = cumulative.Length - 1;
        var width = (options.Upper - options.Lower) / bins;
        var estimates = options.Probabilities.Zip(Names, (p, name) =>
        {
            // Within the bin where F passes p, as if its clients were spread evenly.
            var at = First(b => cumulative[b] >= p);
            var share = cumulative[at] - cumulative[at - 1];
            var value = share > 0 ? at - 1 + Math.Clamp((p - cumulative[at - 1]) / share, 0, 1) : at - 0.5;
            var low = First(b => cumulative[b] + (Reach * Math.Sqrt(variances[b])) >= p) - 1;
            var high = First(b => cumulative[b] - (Reach * Math.Sqrt(variances[b])) >= p);
            return new AnalysisEstimate(name, At(value), At(low), At(high));
        });
        return new(
            Kind, reports.Count, options.Confidence, [.. estimates],
            [string.Create(CultureInfo.InvariantCulture, $"From {bins} bins of {width:G4} between {options.Lower:G6} and {options.Upper:G6}; clients in {Groups} groups, one for each level of intervals.")]);

        int First(Predicate<int> holds)
        {
            var b = 1;
            while (b < bins && !holds(b))
            {
                b++;
            }

            return b;
        }

        double At(double bin) => options.Lower + (width * bin);
    }

    /// <summary>F at the 2^h + 1 bounds between bins, non-decreasing, and bounds of its variance.</summary>
    internal (double[] Cumulative, double[] Variances) Distribution(ReportStore reports)
    {
        var levels = options.Levels;
        var own = new double[levels + 1][];
        var noise = new double[levels + 1];
        own[0] = [1];
        var all = (double)reports.Count;
        for (var l = 1; l <= levels; l++)
        {
            var n = reports.CountOf(l - 1);
            if (n == 0)
            {
                throw new PrivacyException($"Every one of the {levels} groups needs a report or more: draw groups uniformly, and among enough clients.");
            }

            var oracle = oracles[l - 1];
            var state = new long[oracle.StateLength];
            for (var i = 0; i < n; i++)
            {
                oracle.Accumulate(reports.Report(l - 1, i)[..oracle.ReportBytes], state);
            }

            own[l] = new double[1 << l];
            oracle.Estimate(state, n, own[l]);
            noise[l] = own[l].Max(f => AnalysisOracle.Variance(oracle, f, n / all)) / n;
        }

        var consistent = Consistent(own, noise);
        var bins = 1 << levels;
        var (cumulative, variances) = (new double[bins + 1], new double[bins + 1]);
        for (var b = 1; b <= bins; b++)
        {
            cumulative[b] = cumulative[b - 1] + consistent[levels][b - 1];
            variances[b] = Math.Min(Dyadic(b), Dyadic(bins - b));
        }

        // F does not fall: the running maximum is closer to the truth wherever it differs.
        for (var b = 1; b <= bins; b++)
        {
            cumulative[b] = Math.Clamp(Math.Max(cumulative[b], cumulative[b - 1]), 0, 1);
        }

        return (cumulative, variances);

        // Σ V over the intervals that [0, b) is made of: one for each set bit of b.
        double Dyadic(int b) => b == bins ? 0 : Enumerable.Range(1, levels).Where(l => (b >> (levels - l) & 1) != 0).Sum(l => noise[l]);
    }

    /// <summary>The estimates of least variance among those that add up, level by level.</summary>
    internal static double[][] Consistent(double[][] own, double[] noise)
    {
        var levels = own.Length - 1;
        var (x, v) = (own.Select(level => level.ToArray()).ToArray(), noise.ToArray());
        for (var l = levels - 1; l >= 1; l--)
        {
            var below = 2 * v[l + 1];
            v[l] = 1 / ((1 / noise[l]) + (1 / below));
            for (var i = 0; i < x[l].Length; i++)
            {
                x[l][i] = v[l] * ((own[l][i] / noise[l]) + ((x[l + 1][2 * i] + x[l + 1][(2 * i) + 1]) / below));
            }
        }

        for (var l = 0; l < levels; l++)
        {
            for (var i = 0; i < x[l].Length; i++)
            {
                var rest = (x[l][i] - x[l + 1][2 * i] - x[l + 1][(2 * i) + 1]) / 2;
                x[l + 1][2 * i] += rest;
                x[l + 1][(2 * i) + 1] += rest;
            }
        }

        return x;
    }

    private protected override void Write(AnalysisAnswer answer, Ticket ticket, Span<byte> report, IRandomSource random)
    {
        var bins = 1 << options.Levels;
        var bin = (int)Math.Clamp(Math.Floor((answer.Number - options.Lower) / (options.Upper - options.Lower) * bins), 0, bins - 1);
        var oracle = oracles[ticket.Group];
        AnalysisOracle.Randomize(oracle, bin >> (options.Levels - 1 - ticket.Group), ticket, report[..oracle.ReportBytes], random);
    }

    private protected override string? Look(ReadOnlySpan<byte> report, Ticket ticket)
    {
        var oracle = oracles[ticket.Group];
        return report[oracle.ReportBytes..].ContainsAnyExcept((byte)0) ? "there are bytes beyond its end" : AnalysisOracle.Problem(oracle, report[..oracle.ReportBytes], ticket);
    }
}
