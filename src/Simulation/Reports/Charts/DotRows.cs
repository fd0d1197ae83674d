namespace Federated.Simulation.Reports.Charts;

/// <summary>A row per client with one dot per series on a common scale: who gains from what.</summary>
/// <param name="Series">Names of the dots.</param>
/// <param name="Rows">A name, and one value per series; NaN for none.</param>
public sealed record DotRows(string Id, string Title, string XLabel, IReadOnlyList<string> Series, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> Rows, Func<double, string> Text)
{
    private const double Width = 440, Left = 110, Right = 16, Row = 26, Top = 8, Bottom = 40;

    public Markup Render()
    {
        var values = Rows.SelectMany(r => r.Values).Where(double.IsFinite).ToList();
        var axis = Axis.Covering(values.DefaultIfEmpty(0).Min(), values.DefaultIfEmpty(1).Max());
        var height = Top + (Row * Rows.Count) + Bottom;
        double X(double value) => Left + (axis.At(value) * (Width - Left - Right));
        var body = new Markup();
        foreach (var tick in axis.Ticks)
        {
            body.Add($"""<line class="grid" x1="{X(tick)}" x2="{X(tick)}" y1="{Top}" y2="{height - Bottom}"/><text class="tick" x="{X(tick)}" y="{height - Bottom + 16}" text-anchor="middle">{Text(tick)}</text>""");
        }

        for (var i = 0; i < Rows.Count; i++)
        {
            var (name, dots) = Rows[i];
            var y = Top + (Row * (i + 0.5));
            body.Add($"""<text class="tick" x="{Left - 10}" y="{y + 4}" text-anchor="end">{(name.Length > 16 ? name[..15] + "…" : name)}</text><line class="grid" x1="{Left}" x2="{Width - Right}" y1="{y}" y2="{y}"/>""");
            for (var s = 0; s < dots.Count; s++)
            {
                if (double.IsFinite(dots[s]))
                {
                    body.Add(Mark(s, X(dots[s]), y, $"{name}, {Series[s]}: {Text(dots[s])}"));
                }
            }
        }

        body.Add($"""<text class="label" x="{(Left + Width - Right) / 2}" y="{height - 6}" text-anchor="middle">{XLabel}</text>""");
        var description = string.Join(" ", Rows.Select(r => $"{r.Name}: {string.Join(", ", r.Values.Select((v, s) => $"{Series[s]} {Text(v)}"))}."));
        return Plot.Svg(Id, Title, description, Width, height, body);
    }

    /// <summary>The mark of a series: colour and form, so that neither is needed alone.</summary>
    internal static Markup Mark(int series, double x, double y, string title) => (series % 3) switch
    {
        0 => new Markup().Add($"""<circle class="dot c{series}" cx="{x}" cy="{y}" r="5"><title>{title}</title></circle>"""),
        1 => new Markup().Add($"""<rect class="dot c{series}" x="{x - 4.5}" y="{y - 4.5}" width="9" height="9"><title>{title}</title></rect>"""),
        _ => new Markup().Add($"""<path class="dot c{series}" d="M{x} {y - 6}L{x + 6} {y}L{x} {y + 6}L{x - 6} {y}Z"><title>{title}</title></path>"""),
    };
}
