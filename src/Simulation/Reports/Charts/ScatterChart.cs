namespace Federated.Simulation.Reports.Charts;

/// <summary>One dot per client or case.</summary>
/// <param name="Guide">Slope of a line through the origin to compare with; NaN for none.</param>
public sealed record ScatterChart(
    string Id, string Title, string XLabel, string YLabel, IReadOnlyList<(double X, double Y, string Name)> Dots, double Guide, string GuideName)
{
    public Markup Render()
    {
        var plot = new Plot(Axis.Covering(0, Dots.Max(d => d.X)), Axis.Covering(0, Dots.Max(d => d.Y)));
        var body = new Markup();
        if (double.IsFinite(Guide) && Guide > 0)
        {
            var (x, y) = (Dots.Max(d => d.X), Dots.Max(d => d.Y));
            (x, y) = x * Guide > y ? (y / Guide, y) : (x, x * Guide);
            body.Add($"""<line class="reference" x1="{plot.X(0)}" y1="{plot.Y(0)}" x2="{plot.X(x)}" y2="{plot.Y(y)}"><title>{GuideName}</title></line>""");
        }

        foreach (var (x, y, name) in Dots)
        {
            body.Add($"""<circle class="dot c0" cx="{plot.X(x)}" cy="{plot.Y(y)}" r="3.2"><title>{name}: {Readable.Number(x)} {XLabel}, {Readable.Number(y)} {YLabel}</title></circle>""");
        }

        var description = $"{Dots.Count} clients; {XLabel} from {Readable.Number(Dots.Min(d => d.X))} to {Readable.Number(Dots.Max(d => d.X))}, {YLabel} from {Readable.Number(Dots.Min(d => d.Y))} to {Readable.Number(Dots.Max(d => d.Y))}.";
        return plot.Draw(Id, Title, description, XLabel, YLabel, Readable.Short, Readable.Short, body);
    }
}
