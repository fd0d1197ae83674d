using System.Globalization;

namespace Federated.Simulation.Results;

/// <summary><c>updates.csv</c>: one row per assignment, in the order in which they ended. Streamed: a run of any length holds one buffer.</summary>
public sealed class UpdatesFile(Stream stream) : IDisposable
{
    public const string Name = "updates.csv";

    private readonly CsvWriter csv = new(
        stream, "client", "base_version", "staleness", "local_steps", "examples", "download_s", "train_s", "upload_s", "aggregate_s", "weight", "outcome", "reason", "dispatched_s", "ended_s");

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
        csv.Write(row.EndedAt);
        csv.EndRow();
    }

    /// <summary>Makes the rows so far visible to readers.</summary>
    public void Flush() => csv.Flush();

    /// <summary>
    /// Reads the rows of a finished or running experiment, one at a time; a last line without its end is left out. Assignments are
    /// numbered in the order of the rows.
    /// </summary>
    /// <exception cref="SimulationException">Not a file that <see cref="Write"/> wrote; says which line.</exception>
    public static IEnumerable<UpdateRow> Read(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        if (reader.ReadLine()?.StartsWith("client,base_version,staleness,", StringComparison.Ordinal) != true)
        {
            throw new SimulationException($"{path} does not begin with the columns of updates.csv; it is not the updates of a run.");
        }

        var number = 0L;
        while (reader.ReadLine() is { } line)
        {
            UpdateRow row;
            try
            {
                row = Parse(line.Split(','), number);
            }
            catch (Exception problem) when (problem is FormatException or OverflowException or IndexOutOfRangeException)
            {
                if (reader.Peek() < 0)
                {
                    yield break; // Still being written.
                }

                throw new SimulationException($"{path}:{number + 2}: not a row of updates: {line}", problem);
            }

            number++;
            yield return row;
        }
    }

    public void Dispose() => csv.Dispose();

    private static UpdateRow Parse(string[] fields, long number)
    {
        double Real(int i) => double.Parse(fields[i], CultureInfo.InvariantCulture);
        int Whole(int i) => int.Parse(fields[i], CultureInfo.InvariantCulture);
        var outcome = fields[10] switch
        {
            "accepted" => UpdateOutcome.Accepted,
            "rejected" => UpdateOutcome.Rejected,
            "lost" => UpdateOutcome.Lost,
            _ => throw new FormatException(fields[10]),
        };
        var dispatched = Real(12);

        // Files of earlier versions end here; when an update arrived follows from its parts.
        var ended = fields.Length > 13 ? Real(13) : dispatched + Real(5) + Real(6) + Real(7);
        return new UpdateRow(
            number, Whole(0), Whole(1), Whole(2), Whole(3), Real(4), Real(5), Real(6), Real(7), Real(8), Real(9), outcome, fields[11], dispatched, ended);
    }

    private static string Outcome(UpdateOutcome outcome) => outcome switch
    {
        UpdateOutcome.Accepted => "accepted",
        UpdateOutcome.Rejected => "rejected",
        _ => "lost",
    };
}
