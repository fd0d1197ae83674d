using Federated.Coordinator.Runs;
using Federated.Simulation.Engine;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Federated.Cli.Output;

/// <summary>Progress as a table drawn in place, some eight times a second.</summary>
internal sealed class LiveProgress(LiveDisplayContext display, int width, TimeProvider clock, StopOptions stop, CancellationToken interrupted) : ISimulationObserver
{
    private const int CurveWidth = 48;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(125);

    private readonly RunState state = new(clock);
    private long lastDrawn = clock.GetTimestamp();
    private bool isOver;

    /// <summary>Runs <paramref name="action"/> under a live table, which stays as it was at the end.</summary>
    public static TResult Follow<TResult>(IAnsiConsole console, TimeProvider clock, StopOptions stop, Func<ISimulationObserver, TResult> action, CancellationToken interrupted) =>
        console.Live(new Text("")).Start(display =>
        {
            var progress = new LiveProgress(display, console.Profile.Width, clock, stop, interrupted);
            progress.Draw();
            var result = action(progress);
            progress.isOver = true;
            progress.Draw();
            return result;
        });

    public void OnVersion(in VersionPublished version)
    {
        state.Take(version);
        DrawSometimes();
    }

    public void OnEvaluation(MetricsRow row)
    {
        state.Take(row);
        DrawSometimes();
    }

    public void OnUpdate(in UpdateRow row) => state.Take(row);

    public void OnProgress(in SimulationProgress progress)
    {
        state.Take(progress);
        DrawSometimes();
    }

    private void DrawSometimes()
    {
        if (clock.GetElapsedTime(lastDrawn) >= Interval)
        {
            Draw();
        }
    }

    private void Draw()
    {
        lastDrawn = clock.GetTimestamp();
        display.UpdateTarget(Picture());
        display.Refresh();
    }

    private Rows Picture()
    {
        var columns = Fitting(
        [
            ("version", stop.Versions > 0 ? $"{Readable.Number(state.Version)} / {Readable.Number(stop.Versions)}" : Readable.Number(state.Version), new Style(decoration: Decoration.Bold)),
            ("accuracy", Readable.Percent(state.Last?.Accuracy ?? double.NaN), new Style(Color.Green, decoration: Decoration.Bold)),
            ("loss", Readable.Number(state.Last?.Loss ?? double.NaN), Style.Plain),
            .. state.Last is { Epsilon: var epsilon } && !double.IsNaN(epsilon) ? [("ε", Readable.Number(epsilon), new Style(Color.Yellow))] : Array.Empty<(string, string, Style)>(),
            ("virtual", Readable.Seconds(state.VirtualSeconds), Style.Plain),
            ("wall", Readable.Seconds(state.WallSeconds), Style.Plain),
            ("updates", Readable.Number(state.Accepted), Style.Plain),
            ("per s", Readable.Short(Math.Round(state.UpdatesPerSecond)), Style.Plain),
            ("in flight", Readable.Number(state.InFlight), Style.Plain),
            ("staleness", Readable.Number(state.MeanStaleness), Style.Plain),
            ("lost", Readable.Number(state.Lost), Style.Plain),
            ("rejected", Readable.Number(state.Rejected), Style.Plain),
        ]);
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = new Style(Color.Grey) };
        foreach (var (name, _, _) in columns)
        {
            table.AddColumn(new TableColumn(new Text(name, new Style(Color.Grey))) { Alignment = Justify.Right, NoWrap = true });
        }

        table.AddRow(columns.Select(column => new Text(column.Value, column.Look)));
        var lines = new List<IRenderable> { table };
        if (state.Accuracies.Count > 1)
        {
            lines.Add(new Markup($" [grey]accuracy[/] [blue]{Sparkline.Of(state.Accuracies, CurveWidth)}[/] [grey]best {Readable.Percent(state.BestAccuracy)}[/]"));
        }

        if (!isOver)
        {
            lines.Add(interrupted.IsCancellationRequested
                ? new Markup(" [yellow]Stopping; the results so far are being kept. Ctrl-C again to leave at once.[/]")
                : new Markup($" {Bar()}[grey]Ctrl-C stops and keeps what there is.[/]"));
        }

        return new Rows(lines);
    }

    // A narrow terminal shows the columns that matter most, which come first.
    private List<(string Name, string Value, Style Look)> Fitting(List<(string Name, string Value, Style Look)> columns)
    {
        while (columns.Count > 3 && columns.Sum(c => Math.Max(c.Name.Length, c.Value.Length) + 3) + 1 > width)
        {
            columns.RemoveAt(columns.Count - 1);
        }

        return columns;
    }

    // The part of the way to whichever end comes first.
    private string Bar()
    {
        double[] shares =
        [
            stop.Versions > 0 ? (double)state.Version / stop.Versions : 0,
            stop.ClientUpdates > 0 ? (double)state.Accepted / stop.ClientUpdates : 0,
            stop.Seconds > 0 ? state.VirtualSeconds / stop.Seconds : 0,
        ];
        var filled = (int)(Math.Clamp(shares.Max(), 0, 1) * 30);
        return shares.Max() > 0 ? $"[blue]{new string('━', filled)}[/][grey]{new string('━', 30 - filled)}[/]  " : "";
    }
}
