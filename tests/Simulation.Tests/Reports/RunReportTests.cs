using System.Xml.Linq;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;

namespace Federated.Simulation.Tests.Reports;

public sealed class RunReportTests
{
    // The pages are also well-formed XML, so that any parser finds a tag that was not closed or a value that was not escaped.
    private static XElement Parse(string html)
    {
        Assert.StartsWith("<!doctype html>\n", html, StringComparison.Ordinal);
        return XDocument.Parse(html["<!doctype html>\n".Length..]).Root!;
    }

    private static XElement Page(ReportInput input) => Parse(RunReport.Render(input));

    [Fact]
    public void ThePageIsWellFormed()
    {
        var html = RunReport.Render(SampleRun.Make());
        if (Environment.GetEnvironmentVariable("FED_SAMPLE_REPORTS") is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "few.html"), html);
            File.WriteAllText(Path.Combine(folder, "many.html"), RunReport.Render(SampleRun.Make(clients: 1000, versions: 400)));
            File.WriteAllText(Path.Combine(folder, "hospitals.html"), RunReport.Render(SampleRun.Make(clients: 4, hospitals: true, finish: "operator")));
            File.WriteAllText(Path.Combine(folder, "compare.html"), ComparisonReport.Render(
                [.. Enumerable.Range(0, 5).Select(i => SampleRun.Make(speed: 8 + (4 * i))).Select((r, i) => new RecordedRun($"results/run-{i}", $"run-{i}", r.Summary, r.Collected.Evaluations, false))]));
        }

        Assert.Equal("html", Parse(html).Name.LocalName);
    }

    [Fact]
    public void NothingIsLoadedAndNoScriptRuns()
    {
        var html = RunReport.Render(SampleRun.Make());
        foreach (var outside in (string[])["<script", "http:", "https:", "src=", "@import", "url("])
        {
            Assert.DoesNotContain(outside, html, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void EveryPictureHasANameAndADescription()
    {
        var pictures = Page(SampleRun.Make(clients: 4, hospitals: true)).Descendants("svg").Where(svg => (string?)svg.Attribute("role") == "img").ToList();
        Assert.True(pictures.Count >= 8, $"{pictures.Count} pictures");
        Assert.All(pictures, svg =>
        {
            var ids = ((string)svg.Attribute("aria-labelledby")!).Split(' ');
            Assert.All(ids, id => Assert.NotEmpty(svg.Elements().Single(e => (string?)e.Attribute("id") == id).Value));
        });
        Assert.Equal(pictures.Count, pictures.Select(svg => (string)svg.Attribute("aria-labelledby")!).Distinct().Count());
    }

    [Fact]
    public void PicturesThatAreNotNamedAreHidden()
    {
        var unnamed = Page(SampleRun.Make()).Descendants("svg").Where(svg => svg.Attribute("role") is null).ToList();
        Assert.NotEmpty(unnamed);
        Assert.All(unnamed, svg => Assert.Equal("true", (string?)svg.Attribute("aria-hidden")));
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("a & b \"c\" 'd' \u0001 \ud83d\ude42")]
    public void NamesAreText(string name)
    {
        var page = Page(SampleRun.Make(name: name));
        Assert.Equal(name.Replace('\u0001', ' '), page.Descendants("h1").Single().Value);
        Assert.Empty(page.Descendants("script"));
    }

    [Fact]
    public void TheTimelineShowsEachAssignmentWithItsOutcome()
    {
        var input = SampleRun.Make(clients: 5, versions: 10);
        var timeline = Page(input).Descendants("svg").Single(svg => ((string?)svg.Attribute("aria-labelledby"))?.StartsWith("timeline", StringComparison.Ordinal) == true);
        Assert.Equal(40, timeline.Elements("g").Count());
        Assert.Equal(input.Summary.Lost, timeline.Elements("g").Count(g => g.Element("title")!.Value.Contains(": lost (client-failed)", StringComparison.Ordinal)));
    }

    [Fact]
    public void AnInterruptedRunSaysSo() => Assert.Contains("Interrupted.", Page(SampleRun.Make(finish: "operator")).Value, StringComparison.Ordinal);

    [Fact]
    public void AGoodEndIsNoWarning() => Assert.DoesNotContain(Page(SampleRun.Make()).Descendants("p"), p => (string?)p.Attribute("class") == "note");

    [Fact]
    public void HospitalsAreComparedWithTrainingAloneAndTogether()
    {
        var text = Page(SampleRun.Make(clients: 4, hospitals: true)).Value;
        Assert.Contains("own data only", text, StringComparison.Ordinal);
        Assert.Contains("pooled data", text, StringComparison.Ordinal);
        Assert.Contains("Zürich & Basel", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ARunThatDidNothingStillHasAReport()
    {
        var empty = SampleRun.Make().Summary with { Accepted = 0, Rejected = 0, Lost = 0, Dispatched = 0, FinalAccuracy = double.NaN, BestAccuracy = double.NaN, FinalLoss = double.NaN };
        Assert.NotNull(Page(new ReportInput(empty, "", new ReportCollector(), null)));
    }

    [Fact]
    public void ARunOfOneVersionHasAReport() => Assert.NotNull(Page(SampleRun.Make(clients: 1, versions: 1)));

    [Fact]
    public void ALongRunWithManyClientsStaysSmall() => Assert.InRange(RunReport.Render(SampleRun.Make(clients: 20_000, versions: 20_000)).Length, 1, 1_500_000);

    [Fact]
    public void TheSameRunGivesTheSamePage() => Assert.Equal(RunReport.Render(SampleRun.Make()), RunReport.Render(SampleRun.Make()));

    public sealed class Comparison
    {
        private static RecordedRun Recorded(string path, string label, double epsilon = double.NaN)
        {
            var run = SampleRun.Make();
            return new RecordedRun(path, label, run.Summary, [.. run.Collected.Evaluations.Select(e => e with { Epsilon = epsilon * e.Version })], false);
        }

        [Fact]
        public void TheAxesAreRoundTimeAndBytesAndEpsilonOnlyWithPrivacy()
        {
            string[] Titles(double epsilon) => [.. Parse(ComparisonReport.Render([Recorded("a", "a", epsilon), Recorded("b", "b")])).Descendants("h3").Select(h => h.Value)];
            Assert.Equal(["Accuracy by round", "Loss by round", "Accuracy by virtual time", "Loss by virtual time", "Accuracy by bytes sent", "Loss by bytes sent"], Titles(double.NaN));
            Assert.Contains("Accuracy by ε spent", Titles(0.1));
        }

        [Fact]
        public void RunsOfTheSameNameAreToldApartByTheirPaths() =>
            Assert.Equal(["x/run", "y/run", "other"], ComparisonReport.Table([Recorded("x/run", "run"), Recorded("y/run", "run"), Recorded("z/other", "other")]).Rows.Select(row => row[0]));

        [Fact]
        public void ARunWithoutASummaryShowsItsLastEvaluation()
        {
            var run = Recorded("a", "a") with { Summary = null, IsPartial = true };
            var row = ComparisonReport.Table([run]).Rows[0];
            Assert.Equal(("60", "running or killed"), (row[3], row[^1]));
        }
    }
}
