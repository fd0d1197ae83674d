using System.Globalization;
using System.Text;

namespace Federated.Simulation.Reports.Charts;

/// <summary>One curve. A NaN is a gap: nothing is drawn across it.</summary>
public sealed record Curve(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Curves over a common axis, in SVG.</summary>
/// <param name="Id">Unique in the page.</param>
/// <param name="References">Horizontal lines to compare with.</param>
/// <param name="IsTime">Whether x is in seconds.</param>
public sealed record LineChart(
    string Id,
    string Title,
    string XLabel,
    string YLabel,
    IReadOnlyList<Curve> Curves,
    Func<double, string> XText,
    Func<double, string> YText,
    IReadOnlyList<(string Name, double Y)>? References = null,
    bool IsTime = false)
{
    /// <summary>More points than this are drawn as the lowest and highest of each bucket, so that no peak is lost.</summary>
    private const int MostPoints = 800;

    /// <summary>Points per curve that tell their values under the pointer.</summary>
    private const int MostHints = 60;

    public Markup Render()
    {
        var finite = Curves.SelectMany(c => c.Points).Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y)).ToList();
        if (finite.Count == 0)
        {
            return new Markup().Add($"""<p class="empty">No values: {Title}.</p>""");
        }

        var levels = finite.Select(p => p.Y).Concat((References ?? []).Select(r => r.Y).Where(double.IsFinite)).ToList();
        var (start, end) = (Math.Min(0, finite.Min(p => p.X)), finite.Max(p => p.X));
        var plot = new Plot(
            IsTime ? Axis.CoveringTime(start, end) : Axis.Covering(start, end, 6, round: false),
            Axis.Covering(levels.Min(), levels.Max()));
        var body = new Markup();
        foreach (var (name, y) in (References ?? []).Where(r => double.IsFinite(r.Y)))
        {
            body.Add($"""<line class="reference" x1="{plot.X(0)}" x2="{Plot.Width - 14}" y1="{plot.Y(y)}" y2="{plot.Y(y)}"><title>{name}: {YText(y)}</title></line>""");
            body.Add($"""<text class="tick" x="{Plot.Width - 16}" y="{plot.Y(y) - 4}" text-anchor="end">{name}</text>""");
        }

        for (var i = 0; i < Curves.Count; i++)
        {
            Draw(body, plot, Curves[i], i % 8);
        }

        return plot.Draw(Id, Title, Describe(), XLabel, YLabel, XText, YText, body);
    }

    private void Draw(Markup body, Plot plot, Curve curve, int colour)
    {
        var points = Thin(curve.Points);
        body.Add($"""<path class="curve c{colour}" d="{Path(plot, points)}"/>""");
        var stride = Math.Max(1, (points.Count + MostHints - 1) / MostHints);
        for (var i = points.Count - 1; i >= 0; i -= stride)
        {
            var (x, y) = points[i];
            if (double.IsFinite(x) && double.IsFinite(y))
            {
                var dot = points.Count == 1 ? "dot" : "hint";
                body.Add($"""<circle class="{dot} c{colour}" cx="{plot.X(x)}" cy="{plot.Y(y)}" r="4"><title>{curve.Name}: {YText(y)} at {XLabel} {XText(x)}</title></circle>""");
            }
        }
    }

    private static string Path(Plot plot, List<(double X, double Y)> points)
    {
        var path = new StringBuilder();
        var isDown = false;
        foreach (var (x, y) in points)
        {
            if (!double.IsFinite(x) || !double.IsFinite(y))
            {
                isDown = false;
                continue;
            }

            path.Append(CultureInfo.InvariantCulture, $"{(isDown ? 'L' : 'M')}{plot.X(x):0.##} {plot.Y(y):0.##}");
            isDown = true;
        }

        return path.ToString();
    }

    /// <summary>Lowest and highest of each bucket, in the order of x.</summary>
    internal static List<(double X, double Y)> Thin(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints)
        {
            return [.. points];
        }

        var thin = new List<(double, double)>();
        const int Buckets = MostPoints / 2;
        for (var bucket = 0; bucket < Buckets; bucket++)
        {
            var (from, to) = ((int)((long)points.Count * bucket / Buckets), (int)((long)points.Count * (bucket + 1) / Buckets));
            var (low, high) = (from, from);
            for (var i = from; i < to; i++)
            {
                // A gap must stay a gap: it wins over every number.
                low = double.IsNaN(points[low].Y) || points[low].Y <= points[i].Y ? low : i;
                high = double.IsNaN(points[high].Y) || points[high].Y >= points[i].Y ? high : i;
            }

            thin.Add(points[Math.Min(low, high)]);
            if (low != high)
            {
                thin.Add(points[Math.Max(low, high)]);
            }
        }

        if (thin[^1] != points[^1])
        {
            thin.Add(points[^1]);
        }

        return thin;
    }

    private string Describe() => string.Join(" ", Curves.Select(c =>
    {
        var finite = c.Points.Where(p => double.IsFinite(p.Y)).ToList();
        return finite.Count == 0
            ? $"{c.Name}: no values."
            : $"{c.Name}: from {YText(finite[0].Y)} to {YText(finite[^1].Y)}, between {YText(finite.Min(p => p.Y))} and {YText(finite.Max(p => p.Y))}.";
    }));
}
