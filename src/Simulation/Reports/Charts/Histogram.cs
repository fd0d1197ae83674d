namespace Federated.Simulation.Reports.Charts;

/// <summary>Bar charts of how often whole numbers occur, with neighbours put together where there are many.</summary>
internal static class Histogram
{
    private const int MostBars = 32;

    /// <param name="values">Not negative, in any order.</param>
    public static Markup Of(string id, string title, string xLabel, string yLabel, IReadOnlyCollection<int> values)
    {
        var counts = new long[values.Max() + 2];
        foreach (var value in values)
        {
            counts[value]++;
        }

        return OfCounts(id, title, xLabel, yLabel, counts);
    }

    /// <param name="counts">How often 0, 1, 2, … occur; the last entry counts everything from there on.</param>
    public static Markup OfCounts(string id, string title, string xLabel, string yLabel, ReadOnlySpan<long> counts)
    {
        var last = counts.Length - 1;
        while (last > 0 && counts[last] == 0)
        {
            last--;
        }

        var width = (last / MostBars) + 1;
        var bars = new List<(string, double)>();
        for (var from = 0; from <= last; from += width)
        {
            var sum = 0L;
            foreach (var count in counts[from..Math.Min(from + width, counts.Length)])
            {
                sum += count;
            }

            var open = from + width >= counts.Length ? "+" : "";
            bars.Add((width == 1 ? $"{from}{open}" : $"{from}–{from + width - 1}{open}", sum));
        }

        return new BarChart(id, title, xLabel, yLabel, bars).Render();
    }
}
