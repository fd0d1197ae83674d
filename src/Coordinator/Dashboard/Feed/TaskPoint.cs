namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>An assignment that a client has in hand.</summary>
/// <param name="Steps">Local steps asked; 0 when the client chooses.</param>
/// <param name="DispatchedAt">Seconds on the run's clock.</param>
public readonly record struct TaskPoint(long Assignment, int Client, int BaseVersion, int Steps, double DispatchedAt)
{
    internal static IReadOnlyList<Column<TaskPoint>> Columns { get; } =
    [
        new("assignment", (json, p) => json.WriteNumberValue(p.Assignment)),
        new("client", (json, p) => json.WriteNumberValue(p.Client)),
        new("base", (json, p) => json.WriteNumberValue(p.BaseVersion)),
        new("steps", (json, p) => json.WriteNumberValue(p.Steps)),
        new("dispatched", (json, p) => json.WriteMeasure(p.DispatchedAt)),
    ];
}
