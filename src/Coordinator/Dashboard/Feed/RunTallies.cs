using System.Text.Json;

namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>Counts over all assignments of a run: staleness, and how they ended.</summary>
internal sealed class RunTallies
{
    /// <summary>Staleness counted one by one; what is above is counted together.</summary>
    public const int MostStaleness = 128;

    private const int MostReasons = 64;

    private readonly long[] staleness = new long[MostStaleness + 1];
    private readonly SortedDictionary<(UpdateEnd End, string Reason), long> ends = [];

    public void Ended(in UpdatePoint update)
    {
        if (update.End == UpdateEnd.Accepted)
        {
            staleness[Math.Clamp(update.Staleness, 0, MostStaleness)]++;
        }

        Count(update.End, update.Reason ?? "");
    }

    /// <summary>An update was accepted, and the aggregator did not use it.</summary>
    public void LeftOut(string reason) => Count(UpdateEnd.Accepted, reason);

    private void Count(UpdateEnd end, string reason)
    {
        var key = (End: end, reason);
        if (!ends.ContainsKey(key) && ends.Count >= MostReasons)
        {
            key = (end, "other");
        }

        ends[key] = ends.GetValueOrDefault(key) + 1;
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("staleness");
        var length = Array.FindLastIndex(staleness, count => count > 0) + 1;
        for (var i = 0; i < length; i++)
        {
            json.WriteNumberValue(staleness[i]);
        }

        json.WriteEndArray();
        json.WriteStartArray("ends");
        foreach (var ((end, reason), count) in ends)
        {
            json.WriteStartObject();
            json.WriteNumber("end", (int)end);
            json.WriteString("reason", reason);
            json.WriteNumber("count", count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
