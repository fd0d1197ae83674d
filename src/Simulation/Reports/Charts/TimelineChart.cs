using System.Globalization;
using Federated.Simulation.Results;

namespace Federated.Simulation.Reports.Charts;

/// <summary>What clients did when: one bar per assignment in swim lanes over virtual time.</summary>
/// <param name="Rows">Assignments, in any order.</param>
/// <param name="Versions">Virtual times of publishes.</param>
/// <param name="Clients">Clients of the run; few of them have a lane each, many share as many lanes as were busy at once.</param>
/// <param name="Names">What the clients are called, where each has a lane.</param>
public sealed record TimelineChart(string Id, string Title, IReadOnlyList<UpdateRow> Rows, IReadOnlyList<double> Versions, int Clients, IReadOnlyList<string>? Names = null)
{
    public const int MostLanes = 48;

    private const double Width = 900, Left = 92, Right = 10, Top = 14, Bottom = 40;

    public Markup Render()
    {
        var (lanes, count) = Lanes();
        var shown = Rows.Where((_, i) => lanes[i] >= 0).ToList();
        var (start, end) = (shown.Min(r => r.DispatchedAt), shown.Max(r => r.EndedAt));
        var axis = Axis.CoveringTime(start, end, 8);
        var tall = count <= 12 ? 22.0 : 13;
        var height = Top + (tall * count) + Bottom;
        double X(double time) => Left + (Math.Clamp(axis.At(time), 0, 1) * (Width - Left - Right));
        var body = new Markup();
        foreach (var tick in axis.Ticks)
        {
            body.Add($"""<line class="grid" x1="{X(tick)}" x2="{X(tick)}" y1="{Top}" y2="{height - Bottom}"/><text class="tick" x="{X(tick)}" y="{height - Bottom + 16}" text-anchor="{(X(tick) > Width - 34 ? "end" : "middle")}">{Readable.Seconds(tick)}</text>""");
        }

        var published = Versions.Where(time => time >= start && time <= end).ToList();
        foreach (var time in published.Count <= 150 ? published : [])
        {
            body.Add($"""<path class="publish" d="M{X(time)} {Top - 2}l-3 -6h6z"><title>a version was published at {Readable.Seconds(time)}</title></path>""");
        }

        for (var i = 0; i < Rows.Count; i++)
        {
            if (lanes[i] >= 0)
            {
                Draw(body, Rows[i], X, Top + (tall * lanes[i]), tall);
            }
        }

        for (var lane = 0; Clients <= MostLanes && lane < count; lane += count > 24 ? 5 : 1)
        {
            body.Add($"""<text class="tick" x="{Left - 8}" y="{Top + (tall * (lane + 0.5)) + 4}" text-anchor="end">{Name(lane)}</text>""");
        }

        var what = Clients <= MostLanes ? "client" : "clients at work";
        body.Add($"""<text class="label" x="{(Left + Width - Right) / 2}" y="{height - 6}" text-anchor="middle">virtual time</text>""");
        if (count >= 8)
        {
            body.Add($"""<text class="label" transform="translate(14 {Top + (tall * count / 2)}) rotate(-90)" text-anchor="middle">{what}</text>""");
        }

        var outcomes = string.Join(", ", shown.GroupBy(r => r.Outcome).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key.ToString().ToLowerInvariant()}"));
        return Plot.Svg(Id, Title, $"{shown.Count} assignments in {count} lanes from {Readable.Seconds(start)} to {Readable.Seconds(end)}: {outcomes}.", Width, height, body, least: 760);
    }

    private string Name(int client)
    {
        var name = Names is { } names && client < names.Count ? names[client] : client.ToString(CultureInfo.InvariantCulture);
        return name.Length > 12 ? name[..11] + "…" : name;
    }

    // A lane per client, or the first lane that is free: then the lanes in use at a moment are the clients at work.
    private (int[] Lanes, int Count) Lanes()
    {
        var lanes = new int[Rows.Count];
        if (Clients <= MostLanes)
        {
            for (var i = 0; i < lanes.Length; i++)
            {
                lanes[i] = Rows[i].Client;
            }

            return (lanes, Clients);
        }

        var busyUntil = new List<double>();
        foreach (var i in Enumerable.Range(0, Rows.Count).OrderBy(i => Rows[i].DispatchedAt).ThenBy(i => Rows[i].Assignment))
        {
            var lane = busyUntil.FindIndex(until => until <= Rows[i].DispatchedAt);
            if (lane < 0 && busyUntil.Count < MostLanes)
            {
                lane = busyUntil.Count;
                busyUntil.Add(0);
            }

            lanes[i] = lane;
            if (lane >= 0)
            {
                busyUntil[lane] = Rows[i].EndedAt;
            }
        }

        return (lanes, busyUntil.Count);
    }

    private static void Draw(Markup body, in UpdateRow row, Func<double, double> x, double top, double lane)
    {
        var (start, end) = (row.DispatchedAt, row.EndedAt);
        var (y, tall) = (top + 1.5, lane - 3);
        var title = $"client {row.Client}, from version {row.BaseVersion}: {row.Outcome.ToString().ToLowerInvariant()}{(row.Reason.Length > 0 ? $" ({row.Reason})" : "")}, "
            + $"{Readable.Seconds(start)} to {Readable.Seconds(end)}, {row.LocalSteps} steps, staleness {row.Staleness}";
        var bars = new Markup();
        if (row.Outcome == UpdateOutcome.Lost || row.TrainSeconds + row.DownloadSeconds + row.UploadSeconds == 0)
        {
            Bar(bars, row.Outcome == UpdateOutcome.Lost ? "lost" : "rejected", start, end);
        }
        else
        {
            var (train, upload) = (start + row.DownloadSeconds, start + row.DownloadSeconds + row.TrainSeconds);
            Bar(bars, "download", start, train);
            Bar(bars, row.Outcome == UpdateOutcome.Accepted ? "train" : "rejected", train, upload);
            Bar(bars, "upload", upload, end);
        }

        // A sign beside the colour: a cross ends what was lost, a bar what was rejected.
        var at = Math.Max(x(start) + 1, x(end) - 2);
        var sign = row.Outcome switch
        {
            UpdateOutcome.Lost => new Markup().Add($"""<path class="sign" d="M{at - 3} {y + 2}l6 {tall - 4}m0 -{tall - 4}l-6 {tall - 4}"/>"""),
            UpdateOutcome.Rejected => new Markup().Add($"""<path class="sign" d="M{at} {y}v{tall}"/>"""),
            _ => new Markup(),
        };
        body.Add($"<g><title>{title}</title>{bars}{sign}</g>");

        void Bar(Markup to, string kind, double from, double until)
        {
            if (x(until) - x(from) is var width and > 0)
            {
                to.Add($"""<rect class="{kind}" x="{x(from)}" width="{Math.Max(0.4, width)}" y="{y}" height="{tall}"/>""");
            }
        }
    }
}
