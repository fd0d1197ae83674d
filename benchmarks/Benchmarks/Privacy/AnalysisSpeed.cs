using System.Diagnostics;
using System.Globalization;
using Federated.Privacy.Analytics;
using Federated.Privacy.Randomness;

namespace Federated.Benchmarks.Privacy;

/// <summary>
/// Checking, storing and estimating a batch of small reports of every analysis, defences included. Target: 100,000 reports in under 3 s.
/// </summary>
[WholeProcess("analyses", "[reports] [passes]: from the bytes of reports to estimates with intervals, each analysis against 3 s", "reports:count", "passes:count")]
internal static class AnalysisSpeed
{
    private const double Target = 3;

    public static int Run(string[] args)
    {
        var count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000;
        var passes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3;
        AnalysisOptions[] all =
        [
            new MeanOptions { Question = "age", Lower = 0, Upper = 100 },
            new HistogramOptions { Question = "age", Edges = [.. Enumerable.Range(0, 9).Select(i => 10.0 * i)] },
            new HistogramOptions { Question = "age", Edges = [.. Enumerable.Range(0, 65).Select(i => (double)i)], Oracle = "olh" },
            new QuantilesOptions { Question = "age", Lower = 0, Upper = 100, Levels = 8 },
            new HeavyHittersOptions { Question = "word" },
        ];
        var missed = 0;
        using var random = new SimulationRandom(1);
        foreach (var options in all)
        {
            var analysis = PrivateAnalysis.Create(options);
            var reports = new (byte[] Report, Ticket Ticket)[count];
            for (var i = 0; i < count; i++)
            {
                reports[i] = (new byte[analysis.ReportBytes], Ticket.OfCoin((ulong)i, analysis.Groups));
                var answer = analysis.AsksForNumber ? AnalysisAnswer.Of(i % 64) : AnalysisAnswer.Of(WordCode.Decode((ulong)(i % 1000 * (i % 7)), 8));
                analysis.Randomize(answer, reports[i].Ticket, reports[i].Report, random);
            }

            var best = double.PositiveInfinity;
            for (var pass = 0; pass < passes; pass++)
            {
                var started = Stopwatch.GetTimestamp();
                var store = new ReportStore(analysis);
                foreach (var (report, ticket) in reports)
                {
                    store.Add(report, ticket);
                }

                analysis.Estimate(store);
                best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
            }

            missed += best < Target ? 0 : 1;
            var what = options is HistogramOptions histogram ? $"histogram of {histogram.Edges.Count - 1}, {histogram.Oracle}" : analysis.Kind;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-24} {count:N0} reports of {analysis.ReportBytes,2} B {best * 1000,9:F0} ms best of {passes}   {count / best / 1e6,6:F2} M reports/s   {(best < Target ? "within" : "ABOVE")} {Target:F0} s"));
        }

        return missed == 0 ? 0 : 1;
    }
}
