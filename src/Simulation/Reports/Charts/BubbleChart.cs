namespace Federated.Simulation.Reports.Charts;

/// <summary>Counts of classes over clients: one column per client, one row per class, area by count.</summary>
/// <param name="Counts">[client][class].</param>
/// <param name="ClientNames">One per column.</param>
public sealed record BubbleChart(string Id, string Title, IReadOnlyList<string> ClientNames, IReadOnlyList<IReadOnlyList<int>> Counts)
{
    private const double Width = 900, Left = 56, Top = 6, Bottom = 40;

    public Markup Render()
    {
        var (clients, classes) = (Counts.Count, Counts[0].Count);
        var pitch = Math.Min(64, (Width - Left - 10) / clients);
        var row = Math.Clamp(300.0 / classes, 9, 24);
        var largest = Counts.Max(c => c.Max());
        var unit = (Math.Min(pitch, row * 1.15) / 2) - 0.5;
        var height = Top + (row * classes) + Bottom;
        var body = new Markup();
        for (var k = 0; k < classes; k++)
        {
            var y = Top + (row * (k + 0.5));
            body.Add($"""<line class="grid" x1="{Left}" x2="{Left + (pitch * clients)}" y1="{y}" y2="{y}"/>""");
            if (classes <= 30 || k % 5 == 0)
            {
                body.Add($"""<text class="tick" x="{Left - 8}" y="{y + 4}" text-anchor="end">{k}</text>""");
            }
        }

        var stride = Math.Max(1, (int)Math.Ceiling(44 / pitch));
        for (var i = 0; i < clients; i++)
        {
            var x = Left + (pitch * (i + 0.5));
            for (var k = 0; k < classes; k++)
            {
                if (Counts[i][k] > 0)
                {
                    var radius = Math.Max(0.6, unit * Math.Sqrt((double)Counts[i][k] / largest));
                    body.Add($"""<circle class="dot c0" cx="{x}" cy="{Top + (row * (k + 0.5))}" r="{radius}"><title>client {ClientNames[i]}, class {k}: {Counts[i][k]}</title></circle>""");
                }
            }

            if (i % stride == 0)
            {
                var name = ClientNames[i].Length > 9 ? ClientNames[i][..8] + "…" : ClientNames[i];
                body.Add($"""<text class="tick" x="{x}" y="{Top + (row * classes) + 14}" text-anchor="middle">{name}</text>""");
            }
        }

        body.Add($"""<text class="label" x="{Left + (pitch * clients / 2)}" y="{height - 6}" text-anchor="middle">client</text>""");
        body.Add($"""<text class="label" transform="translate(14 {Top + (row * classes / 2)}) rotate(-90)" text-anchor="middle">class</text>""");
        var description = $"Examples of {classes} classes at {clients} clients; the largest bubble is {largest} examples.";
        return Plot.Svg(Id, Title, description, Left + (pitch * clients) + 10, height, body, least: 760);
    }
}
