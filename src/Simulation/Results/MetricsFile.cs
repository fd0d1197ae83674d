using System.Globalization;

namespace Federated.Simulation.Results;

/// <summary><c>metrics.csv</c>: one row per evaluation, readable while the run goes on.</summary>
public sealed class MetricsFile(Stream stream) : IDisposable
{
    public const string Name = "metrics.csv";

    private static readonly string[] Columns =
    [
        "version", "round", "virtual_s", "wall_s", "accuracy", "loss", "client_updates", "bytes_up", "bytes_down", "mean_staleness", "epsilon",
    ];

    private readonly CsvWriter csv = new(stream, Columns);

    public void Write(MetricsRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        csv.Write(row.Version);
        csv.Write(row.Round);
        csv.Write(row.VirtualSeconds);
        csv.Write(row.WallSeconds);
        csv.Write(row.Accuracy);
        csv.Write(row.Loss);
        csv.Write(row.ClientUpdates);
        csv.Write(row.BytesUp);
        csv.Write(row.BytesDown);
        csv.Write(row.MeanStaleness);
        csv.WriteOptional(row.Epsilon);
        csv.EndRow();
        csv.Flush();
    }

    /// <summary>Reads the rows of a finished or running experiment; a last line without its end is left out.</summary>
    /// <exception cref="SimulationException">Not a file that <see cref="Write"/> wrote; says which line.</exception>
    public static IReadOnlyList<MetricsRow> Read(string path)
    {
        var text = File.ReadAllText(path);
        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || lines[0].TrimEnd('\r') != string.Join(',', Columns))
        {
            throw new SimulationException($"{path} does not begin with the columns {string.Join(',', Columns)}; it is not the metrics of a run.");
        }

        return [.. lines.Skip(1).Select((line, i) => Parse(line.TrimEnd('\r').Split(','), path, i + 2))];
    }

    public void Dispose() => csv.Dispose();

    private static MetricsRow Parse(string[] fields, string path, int line)
    {
        try
        {
            return new MetricsRow
            {
                Version = int.Parse(fields[0], CultureInfo.InvariantCulture),
                Round = int.Parse(fields[1], CultureInfo.InvariantCulture),
                VirtualSeconds = Number(fields[2]),
                WallSeconds = Number(fields[3]),
                Accuracy = Number(fields[4]),
                Loss = Number(fields[5]),
                ClientUpdates = long.Parse(fields[6], CultureInfo.InvariantCulture),
                BytesUp = long.Parse(fields[7], CultureInfo.InvariantCulture),
                BytesDown = long.Parse(fields[8], CultureInfo.InvariantCulture),
                MeanStaleness = Number(fields[9]),
                Epsilon = Number(fields[10]),
            };
        }
        catch (Exception problem) when (problem is FormatException or OverflowException or IndexOutOfRangeException)
        {
            throw new SimulationException($"{path}:{line}: not a row of metrics: {string.Join(',', fields)}", problem);
        }
    }

    private static double Number(string field) => field.Length == 0 ? double.NaN : double.Parse(field, CultureInfo.InvariantCulture);
}
