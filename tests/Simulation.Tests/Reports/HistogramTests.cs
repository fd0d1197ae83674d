using System.Xml.Linq;
using Federated.Simulation.Reports.Charts;

namespace Federated.Simulation.Tests.Reports;

public sealed class HistogramTests
{
    private static List<string> Bars(Markup chart) =>
        [.. XElement.Parse(chart.ToString()).Elements("rect").Select(bar => bar.Element("title")!.Value)];

    [Fact]
    public void FewValuesHaveABarEach() =>
        Assert.Equal(["x 0: 1", "x 1: 0", "x 2: 2"], Bars(Histogram.Of("h", "t", "x", "y", [2, 0, 2])));

    [Fact]
    public void ManyValuesShareBarsAndNoneIsLost()
    {
        var bars = Bars(Histogram.Of("h", "t", "x", "y", [.. Enumerable.Range(0, 1000)]));
        Assert.InRange(bars.Count, 16, 33);
        Assert.Equal(1000, bars.Sum(bar => int.Parse(bar.Split(": ")[1], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void TheLastCountIsMarkedAsOpen() => Assert.Equal(["x 0: 5", "x 1: 0", "x 2+: 7"], Bars(Histogram.OfCounts("h", "t", "x", "y", [5, 0, 7])));
}
