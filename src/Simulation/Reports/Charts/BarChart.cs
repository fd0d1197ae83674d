namespace Federated.Simulation.Reports.Charts;

/// <summary>Counts over whole numbers: a histogram.</summary>
/// <param name="Bars">Label and height of each bar, in order.</param>
public sealed record BarChart(string Id, string Title, string XLabel, string YLabel, IReadOnlyList<(string Label, double Value)> Bars)
{
    public Markup Render()
    {
        var plot = new Plot(new Axis(-0.5, Bars.Count - 0.5, []), Axis.Covering(0, Bars.Max(b => b.Value)));
        var body = new Markup();
        var stride = Math.Max(1, (Bars.Count + 11) / 12);
        for (var i = 0; i < Bars.Count; i++)
        {
            var (label, value) = Bars[i];
            var (left, right) = (plot.X(i - 0.42), plot.X(i + 0.42));
            body.Add($"""<rect class="bar" x="{left}" width="{right - left}" y="{plot.Y(value)}" height="{plot.Y(0) - plot.Y(value)}"><title>{XLabel} {label}: {Readable.Number(value)}</title></rect>""");
            if (i % stride == 0)
            {
                body.Add($"""<text class="tick" x="{plot.X(i)}" y="{plot.Y(0) + 16}" text-anchor="middle">{label}</text>""");
            }
        }

        var description = string.Join(", ", Bars.Where(b => b.Value > 0).Take(20).Select(b => $"{b.Label}: {Readable.Number(b.Value)}"));
        return plot.Draw(Id, Title, description, XLabel, YLabel, Readable.Short, Readable.Short, body);
    }
}
