namespace Federated.Simulation.Reports.Charts;

/// <summary>The frame of a chart: axes with ticks, grid and labels, and the way from values to pixels.</summary>
/// <remarks>Text stands at 11 units in a frame of 440, so that it is readable when the frame fills a phone.</remarks>
internal sealed class Plot
{
    public const double Width = 440, Height = 260;

    private const double Left = 62, Right = 14, Top = 10, Bottom = 40;

    private readonly Axis x, y;

    public Plot(Axis x, Axis y) => (this.x, this.y) = (x, y);

    public double X(double value) => Left + (x.At(value) * (Width - Left - Right));

    public double Y(double value) => Height - Bottom - (y.At(value) * (Height - Top - Bottom));

    /// <summary>The whole picture, with its name and description for those who do not see it.</summary>
    public Markup Draw(string id, string title, string description, string xLabel, string yLabel, Func<double, string> xText, Func<double, string> yText, Markup body)
    {
        var frame = new Markup();
        foreach (var tick in y.Ticks)
        {
            frame.Add($"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{Y(tick)}" y2="{Y(tick)}"/><text class="tick" x="{Left - 6}" y="{Y(tick) + 4}" text-anchor="end">{yText(tick)}</text>""");
        }

        foreach (var tick in x.Ticks)
        {
            var anchor = X(tick) > Width - Right - 16 ? "end" : "middle";
            frame.Add($"""<line class="axis" x1="{X(tick)}" x2="{X(tick)}" y1="{Height - Bottom}" y2="{Height - Bottom + 4}"/><text class="tick" x="{(anchor == "end" ? Width - 2 : X(tick))}" y="{Height - Bottom + 16}" text-anchor="{anchor}">{xText(tick)}</text>""");
        }

        frame.Add($"""<line class="axis" x1="{Left}" x2="{Width - Right}" y1="{Height - Bottom}" y2="{Height - Bottom}"/>""");
        frame.Add($"""<text class="label" x="{(Left + Width - Right) / 2}" y="{Height - 6}" text-anchor="middle">{xLabel}</text>""");
        frame.Add($"""<text class="label" transform="translate(12 {(Top + Height - Bottom) / 2}) rotate(-90)" text-anchor="middle">{yLabel}</text>""");
        return Svg(id, title, description, Width, Height, frame.Add(body));
    }

    /// <param name="least">Least width in CSS pixels before the picture scrolls in its frame; 0 for none.</param>
    public static Markup Svg(string id, string title, string description, double width, double height, Markup body, double least = 0)
    {
        // A picture wider than its frame scrolls; a narrow one is not blown up.
        var style = least > 0 ? $"min-width:{Math.Min(least, width):0}px;max-width:{width * 1.4:0}px" : $"max-width:{width * 2:0}px";
        return new Markup().Add($"""<svg viewBox="0 0 {width} {height}" style="{style}" role="img" aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{title}</title><desc id="{id}-d">{description}</desc>{body}</svg>""");
    }
}
