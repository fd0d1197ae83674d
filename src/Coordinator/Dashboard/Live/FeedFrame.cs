using System.Text.Json;
using System.Text.Json.Serialization;

namespace Federated.Coordinator.Dashboard.Live;

/// <summary>What is new in a run since the frame before, as JSON that was written once for all viewers.</summary>
[JsonConverter(typeof(Converter))]
public sealed class FeedFrame
{
    internal FeedFrame(byte[] json) => Json = json;

    internal byte[] Json { get; }

    private sealed class Converter : JsonConverter<FeedFrame>
    {
        public override FeedFrame Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return new FeedFrame(JsonSerializer.SerializeToUtf8Bytes(document.RootElement));
        }

        public override void Write(Utf8JsonWriter writer, FeedFrame value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Json, skipInputValidation: true);
    }
}
