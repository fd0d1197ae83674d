namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>A published version and what made it. Quantities that nobody measured are NaN.</summary>
/// <param name="Time">Seconds on the run's clock.</param>
/// <param name="Updates">Updates in the aggregate.</param>
/// <param name="Staleness">Mean τ of those updates.</param>
/// <param name="WeightSum">Sum of their weights after normalisation.</param>
/// <param name="StepNorm">ℓ2 norm of what the server optimizer changed in the model.</param>
/// <param name="Agreement">Mean cosine between an update and the aggregate: 1 when all pull one way, 0 when they cancel out.</param>
public readonly record struct VersionPoint(int Version, double Time, int Updates, double Staleness, double WeightSum, double StepNorm, double Agreement)
{
    internal static IReadOnlyList<Column<VersionPoint>> Columns { get; } =
    [
        new("version", (json, p) => json.WriteNumberValue(p.Version)),
        new("time", (json, p) => json.WriteMeasure(p.Time)),
        new("updates", (json, p) => json.WriteNumberValue(p.Updates)),
        new("staleness", (json, p) => json.WriteMeasure(p.Staleness)),
        new("weightSum", (json, p) => json.WriteMeasure(p.WeightSum)),
        new("stepNorm", (json, p) => json.WriteMeasure(p.StepNorm)),
        new("agreement", (json, p) => json.WriteMeasure(p.Agreement)),
    ];
}
