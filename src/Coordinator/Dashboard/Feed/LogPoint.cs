namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>Something that happened, as a sentence.</summary>
/// <param name="Time">Seconds on the run's clock.</param>
/// <param name="Wall">Real seconds since the run began.</param>
/// <param name="Kind">One word to filter by: <c>run</c>, <c>progress</c>, <c>client</c>, <c>group</c>, <c>privacy</c>, <c>operator</c>.</param>
/// <param name="Client">The client it is about; −1 for none.</param>
/// <param name="Version">The version it is about; −1 for none.</param>
public readonly record struct LogPoint(double Time, double Wall, LogSeverity Severity, string Kind, string Text, int Client = -1, int Version = -1)
{
    internal static IReadOnlyList<Column<LogPoint>> Columns { get; } =
    [
        new("time", (json, p) => json.WriteMeasure(p.Time)),
        new("wall", (json, p) => json.WriteMeasure(p.Wall)),
        new("severity", (json, p) => json.WriteNumberValue((int)p.Severity)),
        new("kind", (json, p) => json.WriteStringValue(p.Kind)),
        new("text", (json, p) => json.WriteStringValue(p.Text)),
        new("client", (json, p) => json.WriteNumberValue(p.Client)),
        new("version", (json, p) => json.WriteNumberValue(p.Version)),
    ];
}

/// <summary>How much an event matters; the numbers are part of the wire.</summary>
public enum LogSeverity
{
    Information = 0,
    Warning = 1,
    Error = 2,
}
