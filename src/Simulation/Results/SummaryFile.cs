using System.Text.Encodings.Web;
using System.Text.Json;

namespace Federated.Simulation.Results;

/// <summary>
/// <c>summary.json</c>: the run in one object. A quantity that the run does not have is <c>null</c>. Scores per client stand in
/// <see cref="ScoresFile"/>, so that this stays small.
/// </summary>
public static class SummaryFile
{
    public const string Name = "summary.json";

    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    public static void Write(RunSummary summary, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(summary);
        using var json = new Utf8JsonWriter(stream, Indented);
        Write(summary, json);
    }

    /// <summary>As one JSON object, into a document that the caller continues.</summary>
    public static void Write(RunSummary summary, Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartObject();
        json.WriteString("run", summary.Run);
        json.WriteNumber("seed", summary.Seed);
        json.WriteString("strategy", summary.Strategy);
        json.WriteNumber("clients", summary.Clients);
        json.WriteNumber("versions", summary.Versions);
        json.WriteNumber("client_updates", summary.ClientUpdates);
        json.WriteNumber("accepted", summary.Accepted);
        json.WriteNumber("rejected", summary.Rejected);
        json.WriteNumber("lost", summary.Lost);
        json.WriteNumber("dispatched", summary.Dispatched);
        Number(json, "final_accuracy", summary.FinalAccuracy);
        Number(json, "best_accuracy", summary.BestAccuracy);
        Number(json, "final_loss", summary.FinalLoss);
        Number(json, "time_to_target_s", summary.TimeToTargetSeconds);
        Number(json, "virtual_s", summary.VirtualSeconds);
        Number(json, "wall_s", summary.WallSeconds);
        json.WriteNumber("peak_rss_bytes", summary.PeakRssBytes);
        json.WriteNumber("bytes_up", summary.BytesUp);
        json.WriteNumber("bytes_down", summary.BytesDown);
        Number(json, "epsilon", summary.Epsilon);
        Number(json, "delta", summary.Delta);
        Text(json, "model_sha256", summary.ModelSha256);
        json.WriteString("finish_reason", summary.FinishReason);
        json.WriteString("finish_detail", summary.FinishDetail);
        json.WriteNumber("events", summary.Events);
        Number(json, "participation_bias", summary.Participation?.Bias ?? double.NaN);
        PrivacyForm.Write(summary.Privacy, json);
        json.WriteEndObject();
    }

    /// <exception cref="SimulationException">Not a summary.</exception>
    public static RunSummary Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path));
            var root = document.RootElement;
            return new RunSummary
            {
                Run = root.GetProperty("run").GetString()!,
                Seed = root.GetProperty("seed").GetUInt64(),
                Strategy = root.GetProperty("strategy").GetString()!,
                Clients = root.GetProperty("clients").GetInt32(),
                Versions = root.GetProperty("versions").GetInt32(),
                Accepted = root.GetProperty("accepted").GetInt64(),
                Rejected = root.GetProperty("rejected").GetInt64(),
                Lost = root.GetProperty("lost").GetInt64(),
                Dispatched = root.GetProperty("dispatched").GetInt64(),
                FinalAccuracy = Number(root, "final_accuracy"),
                BestAccuracy = Number(root, "best_accuracy"),
                FinalLoss = Number(root, "final_loss"),
                TimeToTargetSeconds = Number(root, "time_to_target_s"),
                VirtualSeconds = Number(root, "virtual_s"),
                WallSeconds = Number(root, "wall_s"),
                PeakRssBytes = root.GetProperty("peak_rss_bytes").GetInt64(),
                BytesUp = root.GetProperty("bytes_up").GetInt64(),
                BytesDown = root.GetProperty("bytes_down").GetInt64(),
                Epsilon = Number(root, "epsilon"),
                Delta = Number(root, "delta"),
                ModelSha256 = root.GetProperty("model_sha256").GetString() ?? "",
                FinishReason = root.GetProperty("finish_reason").GetString()!,
                FinishDetail = root.GetProperty("finish_detail").GetString()!,
                Events = root.GetProperty("events").GetInt64(),
                Privacy = PrivacyForm.Read(root),
                Participation = Number(root, "participation_bias") is var bias && double.IsFinite(bias) ? new ParticipationSummary(bias, []) : null,
            };
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new SimulationException($"{path} is not the summary of a run: {problem.Message}", problem);
        }
    }

    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static double Number(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: not JsonValueKind.Null } value ? value.GetDouble() : double.NaN;

    private static void Text(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
