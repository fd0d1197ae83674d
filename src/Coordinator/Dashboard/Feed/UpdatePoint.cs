namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>How one assignment went. Seconds are on the run's clock; quantities that nobody measured are NaN.</summary>
public readonly record struct UpdatePoint
{
    public required long Assignment { get; init; }

    public required int Client { get; init; }

    public required int BaseVersion { get; init; }

    /// <summary>τ when it was folded in, or when it ended.</summary>
    public required int Staleness { get; init; }

    /// <summary>Local steps done; 0 when no update came.</summary>
    public int Steps { get; init; }

    public double Examples { get; init; }

    public double Download { get; init; }

    public double Train { get; init; }

    public double Upload { get; init; }

    /// <summary>From its arrival until it was folded into an aggregate.</summary>
    public double Aggregate { get; init; }

    /// <summary>In its aggregate, before normalisation; 0 when it was not used.</summary>
    public double Weight { get; init; }

    /// <summary>ℓ2 norm of the delta, before clipping.</summary>
    public double Norm { get; init; }

    /// <summary>Cosine between the delta and the aggregate it went into.</summary>
    public double Cosine { get; init; }

    public required UpdateEnd End { get; init; }

    /// <summary>Why it was rejected or lost, in one word.</summary>
    public string Reason { get; init; }

    public required double DispatchedAt { get; init; }

    /// <summary>When the update arrived, or the assignment was lost.</summary>
    public required double EndedAt { get; init; }

    /// <summary>The version that it became part of; 0 when of none, or not known.</summary>
    public int Version { get; init; }

    internal static IReadOnlyList<Column<UpdatePoint>> Columns { get; } =
    [
        new("assignment", (json, p) => json.WriteNumberValue(p.Assignment)),
        new("client", (json, p) => json.WriteNumberValue(p.Client)),
        new("base", (json, p) => json.WriteNumberValue(p.BaseVersion)),
        new("staleness", (json, p) => json.WriteNumberValue(p.Staleness)),
        new("steps", (json, p) => json.WriteNumberValue(p.Steps)),
        new("examples", (json, p) => json.WriteMeasure(p.Examples)),
        new("download", (json, p) => json.WriteMeasure(p.Download)),
        new("train", (json, p) => json.WriteMeasure(p.Train)),
        new("upload", (json, p) => json.WriteMeasure(p.Upload)),
        new("aggregate", (json, p) => json.WriteMeasure(p.Aggregate)),
        new("weight", (json, p) => json.WriteMeasure(p.Weight)),
        new("norm", (json, p) => json.WriteMeasure(p.Norm)),
        new("cosine", (json, p) => json.WriteMeasure(p.Cosine)),
        new("end", (json, p) => json.WriteNumberValue((int)p.End)),
        new("reason", (json, p) => json.WriteStringValue(p.Reason ?? "")),
        new("dispatched", (json, p) => json.WriteMeasure(p.DispatchedAt)),
        new("ended", (json, p) => json.WriteMeasure(p.EndedAt)),
        new("version", (json, p) => json.WriteNumberValue(p.Version)),
    ];
}

/// <summary>The three ends of an assignment; their numbers are part of the wire.</summary>
public enum UpdateEnd
{
    Accepted = 0,
    Rejected = 1,
    Lost = 2,
}
