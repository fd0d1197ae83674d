namespace Federated.Simulation.Results;

/// <summary><c>updates.csv</c>: one row per assignment, in the order in which they ended. Streamed: a run of any length holds one buffer.</summary>
public sealed class UpdatesFile(Stream stream) : IDisposable
{
    public const string Name = "updates.csv";

    private readonly CsvWriter csv = new(
        stream, "client", "base_version", "staleness", "local_steps", "examples", "download_s", "train_s", "upload_s", "aggregate_s", "weight", "outcome", "reason", "dispatched_s");

    public void Write(in UpdateRow row)
    {
        csv.Write(row.Client);
        csv.Write(row.BaseVersion);
        csv.Write(row.Staleness);
        csv.Write(row.LocalSteps);
        csv.Write(row.Examples);
        csv.Write(row.DownloadSeconds);
        csv.Write(row.TrainSeconds);
        csv.Write(row.UploadSeconds);
        csv.Write(row.AggregateSeconds);
        csv.Write(row.Weight);
        csv.Write(Outcome(row.Outcome));
        csv.Write(row.Reason);
        csv.Write(row.DispatchedAt);
        csv.EndRow();
    }

    /// <summary>Makes the rows so far visible to readers.</summary>
    public void Flush() => csv.Flush();

    public void Dispose() => csv.Dispose();

    private static string Outcome(UpdateOutcome outcome) => outcome switch
    {
        UpdateOutcome.Accepted => "accepted",
        UpdateOutcome.Rejected => "rejected",
        _ => "lost",
    };
}
