using Federated.Simulation.Reports;
using Federated.Simulation.Reports.Charts;

namespace Federated.Simulation.Tests.Reports;

public sealed class ReadableTests
{
    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(0.0005, "0.5 ms")]
    [InlineData(0.9999, "1 s")]
    [InlineData(12.34, "12.3 s")]
    [InlineData(59.96, "1 min")]
    [InlineData(61, "1 min 1 s")]
    [InlineData(3599.6, "1 h")]
    [InlineData(4050, "1 h 8 min")]
    [InlineData(86_390, "1 d")]
    [InlineData(90_000, "1 d 1 h")]
    [InlineData(double.NaN, "–")]
    [InlineData(double.PositiveInfinity, "∞")]
    public void Seconds(double seconds, string text) => Assert.Equal(text, Readable.Seconds(seconds));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1 kB")]
    [InlineData(3_180_000, "3.18 MB")]
    [InlineData(31_800_000, "31.8 MB")]
    [InlineData(318_000_000, "318 MB")]
    [InlineData(999_950_000_000, "1 TB")]
    public void Bytes(double bytes, string text) => Assert.Equal(text, Readable.Bytes(bytes));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1234567, "1,234,567")]
    [InlineData(-3, "−3")]
    [InlineData(0.12345, "0.1235")]
    [InlineData(0.0001234, "1.234e-4")]
    [InlineData(12345.6, "12,346")]
    public void Numbers(double number, string text) => Assert.Equal(text, Readable.Number(number));

    [Fact]
    public void AnAxisHasRoundTicksAndCoversItsValues()
    {
        var axis = Axis.Covering(0.13, 0.97);
        Assert.Equal([0, 0.2, 0.4, 0.6, 0.8, 1], axis.Ticks.Select(t => Math.Round(t, 10)));
        Assert.Equal((0, 1), (axis.At(axis.Start), axis.At(axis.End)));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 5)]
    [InlineData(-5, -5)]
    [InlineData(double.NaN, 1)]
    [InlineData(1e-12, 2e-12)]
    [InlineData(-1e9, 1e9)]
    public void AnAxisIsNeverEmpty(double low, double high)
    {
        var axis = Axis.Covering(low, high);
        Assert.True(axis.End > axis.Start);
        Assert.InRange(axis.Ticks.Count, 2, 12);
    }

    [Fact]
    public void ThinningKeepsPeaksAndGapsAndTheEnd()
    {
        var points = Enumerable.Range(0, 100_000).Select(i => ((double)i, i == 51_234 ? 9.0 : i is > 70_000 and < 70_600 ? double.NaN : Math.Sin(i))).ToList();
        var thin = LineChart.Thin(points);
        Assert.InRange(thin.Count, 1, 801);
        Assert.Contains((51_234.0, 9.0), thin);
        Assert.Contains(thin, p => double.IsNaN(p.Y));
        Assert.Equal(points[^1], thin[^1]);
    }
}
