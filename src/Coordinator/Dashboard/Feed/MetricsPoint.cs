namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>One evaluation of one version. Quantities that the run does not have are NaN.</summary>
/// <param name="Time">Seconds on the run's clock.</param>
/// <param name="Wall">Real seconds since the run began.</param>
/// <param name="Accuracy">Share correct on the test set.</param>
/// <param name="Loss">Mean loss on the test set.</param>
/// <param name="Updates">Updates accepted so far.</param>
/// <param name="Staleness">Mean of the updates folded in since the point before.</param>
/// <param name="Epsilon">ε spent so far.</param>
public readonly record struct MetricsPoint(
    int Version, int Round, double Time, double Wall, double Accuracy, double Loss, long Updates, long BytesUp, long BytesDown, double Staleness, double Epsilon)
{
    internal static IReadOnlyList<Column<MetricsPoint>> Columns { get; } =
    [
        new("version", (json, p) => json.WriteNumberValue(p.Version)),
        new("round", (json, p) => json.WriteNumberValue(p.Round)),
        new("time", (json, p) => json.WriteMeasure(p.Time)),
        new("wall", (json, p) => json.WriteMeasure(p.Wall)),
        new("accuracy", (json, p) => json.WriteMeasure(p.Accuracy)),
        new("loss", (json, p) => json.WriteMeasure(p.Loss)),
        new("updates", (json, p) => json.WriteNumberValue(p.Updates)),
        new("bytesUp", (json, p) => json.WriteNumberValue(p.BytesUp)),
        new("bytesDown", (json, p) => json.WriteNumberValue(p.BytesDown)),
        new("staleness", (json, p) => json.WriteMeasure(p.Staleness)),
        new("epsilon", (json, p) => json.WriteMeasure(p.Epsilon)),
    ];
}
