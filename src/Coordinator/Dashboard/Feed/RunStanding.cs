using System.Text.Json;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>Where a run stands; each one replaces the one before.</summary>
public sealed record RunStanding
{
    public RunStatus Status { get; init; } = RunStatus.Created;

    public int Version { get; init; }

    /// <summary>Seconds on the run's clock.</summary>
    public double Time { get; init; }

    /// <summary>Real seconds since the run began.</summary>
    public double Wall { get; init; }

    public long Accepted { get; init; }

    public long Rejected { get; init; }

    public long Lost { get; init; }

    /// <summary>Assignments out at clients; −1 when nobody knows.</summary>
    public long InFlight { get; init; } = -1;

    /// <summary>Clients that wait for work; −1 when nobody knows.</summary>
    public int Waiting { get; init; } = -1;

    /// <summary>Events handled by the run machine; 0 when nobody counts.</summary>
    public long Events { get; init; }

    /// <summary>What the run waits for, as a sentence; empty when it does not wait, or nobody asked.</summary>
    public string WaitsFor { get; init; } = "";

    /// <summary>Why it ended, in kebab-case; empty while it goes on.</summary>
    public string FinishReason { get; init; } = "";

    /// <summary>The same as a sentence.</summary>
    public string FinishDetail { get; init; } = "";

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("status", Status switch
        {
            RunStatus.Created => "created",
            RunStatus.Running => "running",
            RunStatus.Paused => "paused",
            _ => "finished",
        });
        json.WriteNumber("version", Version);
        json.WriteMeasure("time", Time);
        json.WriteMeasure("wall", Wall);
        json.WriteNumber("accepted", Accepted);
        json.WriteNumber("rejected", Rejected);
        json.WriteNumber("lost", Lost);
        json.WriteNumber("inFlight", InFlight);
        json.WriteNumber("waiting", Waiting);
        json.WriteNumber("events", Events);
        json.WriteString("waitsFor", WaitsFor);
        json.WriteString("finishReason", FinishReason);
        json.WriteString("finishDetail", FinishDetail);
        json.WriteEndObject();
    }
}
