using Federated.Simulation.Results;

namespace Federated.Simulation.Studies;

/// <summary>A setting's values over seeds.</summary>
/// <param name="Settings">The setting.</param>
/// <param name="Means">Mean of each value over seeds.</param>
/// <param name="Deviations">Sample standard deviation of each value; 0 with one seed.</param>
/// <param name="Seeds">How many.</param>
public sealed record StudySummary(IReadOnlyList<string> Settings, IReadOnlyList<double> Means, IReadOnlyList<double> Deviations, int Seeds)
{
    /// <summary>Summaries in the order in which the settings were met first.</summary>
    public static IReadOnlyList<StudySummary> Of(IEnumerable<(ulong Seed, StudyRow Row)> rows) =>
    [
        .. rows.GroupBy(r => string.Join('\t', r.Row.Settings)).Select(group =>
        {
            var values = group.Select(r => r.Row.Values).ToArray();
            double[] means = [.. Enumerable.Range(0, values[0].Count).Select(i => values.Average(v => v[i]))];
            double[] deviations = [.. means.Select((mean, i) => values.Length == 1 ? 0 : Math.Sqrt(values.Sum(v => (v[i] - mean) * (v[i] - mean)) / (values.Length - 1)))];
            return new StudySummary(group.First().Row.Settings, means, deviations, values.Length);
        }),
    ];

    /// <summary>Writes rows.csv, a row for every seed and setting.</summary>
    public static void WriteRows(string path, Study study, IEnumerable<(ulong Seed, StudyRow Row)> rows)
    {
        ArgumentNullException.ThrowIfNull(study);
        ArgumentNullException.ThrowIfNull(rows);
        using var csv = new CsvWriter(File.Create(path), ["seed", .. study.SettingColumns, .. study.ValueColumns]);
        foreach (var (seed, row) in rows)
        {
            csv.Write(checked((long)seed));
            WriteAll(csv, row.Settings, row.Values);
        }
    }

    /// <summary>Writes summary.csv, a row for every setting.</summary>
    public static void WriteSummaries(string path, Study study, IEnumerable<StudySummary> summaries)
    {
        ArgumentNullException.ThrowIfNull(study);
        ArgumentNullException.ThrowIfNull(summaries);
        using var csv = new CsvWriter(
            File.Create(path), [.. study.SettingColumns, "seeds", .. study.ValueColumns.SelectMany(c => (string[])[c, c + "_sd"])]);
        foreach (var summary in summaries)
        {
            foreach (var setting in summary.Settings)
            {
                csv.Write(setting);
            }

            csv.Write(summary.Seeds);
            WriteAll(csv, [], [.. summary.Means.Zip(summary.Deviations).SelectMany(p => (double[])[p.First, p.Second])]);
        }
    }

    private static void WriteAll(CsvWriter csv, IEnumerable<string> settings, IEnumerable<double> values)
    {
        foreach (var setting in settings)
        {
            csv.Write(setting);
        }

        foreach (var value in values)
        {
            csv.Write(value);
        }

        csv.EndRow();
    }
}
