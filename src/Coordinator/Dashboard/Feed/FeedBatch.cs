using System.Text.Json;

namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>How far a reader has read each stream.</summary>
internal readonly record struct FeedCursor(long Metrics, long Versions, long Updates, long Groups, long Events);

/// <summary>What is new in a run behind a cursor; what was not asked is null.</summary>
internal sealed class FeedBatch
{
    public required RunStanding Standing { get; init; }

    public FeedSlice<MetricsPoint>? Metrics { get; init; }

    public FeedSlice<VersionPoint>? Versions { get; init; }

    public FeedSlice<UpdatePoint>? Updates { get; init; }

    public FeedSlice<GroupPoint>? Groups { get; init; }

    public FeedSlice<LogPoint>? Events { get; init; }

    public TaskPoint[]? Tasks { get; init; }

    /// <summary>JSON.</summary>
    public byte[]? Tallies { get; init; }

    /// <summary>Those of <paramref name="topics"/>, as one JSON object; streams without news are left out.</summary>
    public void Write(Utf8JsonWriter json, FeedTopics topics)
    {
        json.WriteStartObject();
        json.WritePropertyName("standing");
        Standing.Write(json);
        if (topics.HasFlag(FeedTopics.Curves))
        {
            Stream(json, "metrics", Metrics, MetricsPoint.Columns);
            Stream(json, "versions", Versions, VersionPoint.Columns);
        }

        if (topics.HasFlag(FeedTopics.Updates))
        {
            Stream(json, "updates", Updates, UpdatePoint.Columns);
        }

        if (topics.HasFlag(FeedTopics.Groups))
        {
            Stream(json, "groups", Groups, GroupPoint.Columns);
        }

        if (topics.HasFlag(FeedTopics.Events))
        {
            Stream(json, "events", Events, LogPoint.Columns);
        }

        if (topics.HasFlag(FeedTopics.Tasks) && Tasks is { } tasks)
        {
            json.WriteStartObject("tasks");
            foreach (var column in TaskPoint.Columns)
            {
                json.WriteStartArray(column.Name);
                foreach (var task in tasks)
                {
                    column.Write(json, task);
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        if (topics.HasFlag(FeedTopics.Tallies) && Tallies is { } tallies)
        {
            json.WritePropertyName("tallies");
            json.WriteRawValue(tallies, skipInputValidation: true);
        }

        json.WriteEndObject();
    }

    private static void Stream<T>(Utf8JsonWriter json, string name, FeedSlice<T>? slice, IReadOnlyList<Column<T>> columns)
    {
        if (slice is { Points.Length: > 0 } some)
        {
            json.WritePropertyName(name);
            json.WriteSlice(some, columns);
        }
    }
}
