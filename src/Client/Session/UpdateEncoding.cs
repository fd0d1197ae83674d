using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Aggregation;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Parameters;

namespace Federated.Client.Session;

/// <summary>From a delta to the bytes that go up, by the run's codec.</summary>
internal static class UpdateEncoding
{
    /// <summary>Name of the codec that is none: the delta as a safetensors file.</summary>
    public const string Safetensors = "safetensors";

    /// <summary>Writes the delta's bytes.</summary>
    /// <param name="codec">The assignment's codec; its options are the plan's <c>compression</c>.</param>
    /// <param name="memory">The codec's memory, by name; the memory as it will be once the update is accepted is put into <paramref name="next"/>.</param>
    public static Action<Stream> Encode(
        string codec, JsonElement plan, ParameterLayout layout, ReadOnlyMemory<float> delta, ulong seed,
        IReadOnlyDictionary<string, ReadOnlyMemory<float>> memory, IDictionary<string, ReadOnlyMemory<float>> next)
    {
        if (codec == Safetensors)
        {
            return new SafetensorsWriter().Add(layout, delta).WriteTo;
        }

        try
        {
            var encoder = UpdateCodecs.CreateEncoder<float>(Options(codec, plan), layout.Count);
            foreach (var (name, values) in encoder.State)
            {
                if (memory.TryGetValue(name, out var remembered))
                {
                    remembered.CopyTo(values);
                }
            }

            var message = new ArrayBufferWriter<byte>();
            encoder.EncodeTask(delta.Span, seed, message);
            encoder.Commit(); // Into memory that is only staged: it counts once the coordinator has accepted.
            foreach (var (name, values) in encoder.State)
            {
                next[name] = values;
            }

            return stream => stream.Write(message.WrittenSpan);
        }
        catch (AggregationException e)
        {
            throw new ClientException($"The update cannot be encoded as the run asks ({codec}): {e.Message}", e);
        }
    }

    private static CompressionOptions Options(string codec, JsonElement plan)
    {
        try
        {
            var options = plan.ValueKind == JsonValueKind.Object && plan.TryGetProperty("compression", out var section)
                ? section.Deserialize(EncodingJson.Default.CompressionOptions)
                : null;
            return options is not null
                ? options
                : throw new ClientException($"The run asks for codec '{codec}', and its plan has no section 'compression' with the codec's options.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new ClientException($"The run's codec '{codec}' is not known to this client: {e.Message} Update it.", e);
        }
    }
}

/// <summary>JSON of the plan's <c>compression</c> section.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    AllowOutOfOrderMetadataProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(CompressionOptions))]
internal sealed partial class EncodingJson : JsonSerializerContext;
