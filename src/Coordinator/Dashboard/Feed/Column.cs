using System.Globalization;
using System.Text.Json;

namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>One column of a stream: points travel as one array per column, which is half the bytes of one object per point.</summary>
internal sealed record Column<T>(string Name, Action<Utf8JsonWriter, T> Write);

/// <summary>Numbers and slices as the dashboard reads them.</summary>
internal static class FeedJson
{
    /// <summary>Nine digits are more than a screen can show; what is not finite is <c>null</c>.</summary>
    public static void WriteMeasure(this Utf8JsonWriter json, double value)
    {
        Span<byte> text = stackalloc byte[32];
        if (double.IsFinite(value) && value.TryFormat(text, out var length, "G9", CultureInfo.InvariantCulture))
        {
            json.WriteRawValue(text[..length], skipInputValidation: true);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    public static void WriteMeasure(this Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        json.WriteMeasure(value);
    }

    /// <summary><c>{"after": a, "last": l, "seq": […], "column": […], …}</c>: the points that follow <c>a</c> without a gap.</summary>
    public static void WriteSlice<T>(this Utf8JsonWriter json, in FeedSlice<T> slice, IReadOnlyList<Column<T>> columns)
    {
        json.WriteStartObject();
        json.WriteNumber("after", slice.After);
        json.WriteNumber("last", slice.Last);
        json.WriteStartArray("seq");
        foreach (var sequence in slice.Sequences)
        {
            json.WriteNumberValue(sequence);
        }

        json.WriteEndArray();
        foreach (var column in columns)
        {
            json.WriteStartArray(column.Name);
            foreach (var point in slice.Points)
            {
                column.Write(json, point);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
