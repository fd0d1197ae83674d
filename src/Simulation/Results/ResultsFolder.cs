using System.Diagnostics.CodeAnalysis;
using System.Text;
using Federated.Aggregation.Parameters;
using Federated.Simulation.Configuration.Binding;

namespace Federated.Simulation.Results;

/// <summary>
/// The folder that a run leaves behind. While it is being written it holds the file <c>.partial</c>, so that nothing unfinished looks
/// complete; whole-file writes appear all at once.
/// </summary>
public sealed class ResultsFolder : IDisposable
{
    public const string ConfigurationName = "config.yaml";
    public const string ModelName = "model.safetensors";
    public const string ReportName = "report.html";

    /// <summary>Its presence says: being written, or left when the process was killed.</summary>
    public const string PartialMarker = ".partial";

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private ResultsFolder(string path, bool writesUpdates)
    {
        Path = path;
        Metrics = new MetricsFile(Stream(MetricsFile.Name));
        Updates = writesUpdates ? new UpdatesFile(Stream(UpdatesFile.Name)) : null;
    }

    public string Path { get; }

    public MetricsFile Metrics { get; }

    /// <summary>Null when the run does not keep its updates.</summary>
    public UpdatesFile? Updates { get; }

    public string ReportPath => System.IO.Path.Combine(Path, ReportName);

    /// <summary>
    /// Makes the folder ready, before anything is computed. Files of an earlier run in it are removed; other files are left alone.
    /// </summary>
    /// <param name="problem">Why the folder cannot be used.</param>
    public static bool TryOpen(string path, bool writesUpdates, [NotNullWhen(true)] out ResultsFolder? folder, [NotNullWhen(false)] out string? problem)
    {
        (folder, problem) = (null, null);
        try
        {
            Directory.CreateDirectory(path);
            File.WriteAllText(System.IO.Path.Combine(path, PartialMarker), "A run is writing here, or was killed before its end. The files may be incomplete.\n", Utf8);
            foreach (var name in (string[])[ConfigurationName, MetricsFile.Name, UpdatesFile.Name, SummaryFile.Name, ScoresFile.Name, ParticipationFile.Name, ModelName, ReportName])
            {
                File.Delete(System.IO.Path.Combine(path, name));
            }

            folder = new ResultsFolder(path, writesUpdates);
            return true;
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problem = $"The results folder {path} cannot be written: {reason.Message} Name another with --out.";
            return false;
        }
    }

    /// <summary>The resolved configuration, with every default written out.</summary>
    public void WriteConfiguration(object configuration) => WriteText(ConfigurationName, ConfigWriter.Write(configuration));

    /// <summary>The summary, and the tables per client where there are some.</summary>
    public void WriteSummary(RunSummary summary)
    {
        if (ScoresFile.IsNeeded(summary))
        {
            WriteWhole(ScoresFile.Name, stream => ScoresFile.Write(summary, stream));
        }

        if (summary.Participation is { Clients.Count: > 0 } participation)
        {
            WriteWhole(ParticipationFile.Name, stream => ParticipationFile.Write(participation, stream));
        }

        WriteWhole(SummaryFile.Name, stream => SummaryFile.Write(summary, stream));
    }

    /// <summary>The final parameters, as other frameworks read them.</summary>
    public void WriteModel(SafetensorsWriter model)
    {
        ArgumentNullException.ThrowIfNull(model);
        WriteWhole(ModelName, model.WriteTo);
    }

    public void WriteReport(string html) => WriteText(ReportName, html);

    /// <summary>Everything is written: the marker goes.</summary>
    public void Complete()
    {
        Dispose();
        File.Delete(System.IO.Path.Combine(Path, PartialMarker));
    }

    /// <summary>Closes the files; without <see cref="Complete"/> the folder stays marked as partial.</summary>
    public void Dispose()
    {
        Metrics.Dispose();
        Updates?.Dispose();
    }

    private void WriteText(string name, string text) => WriteWhole(name, stream => stream.Write(Utf8.GetBytes(text)));

    private void WriteWhole(string name, Action<Stream> write)
    {
        var path = System.IO.Path.Combine(Path, name);
        var temporary = path + ".new";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    // Others may read along.
    private FileStream Stream(string name) =>
        new(System.IO.Path.Combine(Path, name), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
