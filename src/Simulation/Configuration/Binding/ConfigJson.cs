using System.Buffers;
using System.Collections;
using System.Text.Json;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>
/// Writes options as JSON with every default written out, in the order of <see cref="ConfigWriter"/>. JSON is YAML, so that the reader of
/// configurations reads it back, strictly, to equal options.
/// </summary>
public static class ConfigJson
{
    public static JsonElement Write(object options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            WriteValue(json, OptionsShapes.Of(options.GetType()), options);
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>Options from JSON, checked as a configuration file is.</summary>
    /// <param name="source">What errors call the text.</param>
    public static ConfigResult<T> Read<T>(JsonElement json, string source)
        where T : class => ConfigurationFile.Read<T>(json.GetRawText(), source);

    private static void WriteValue(Utf8JsonWriter json, OptionsShape shape, object? value)
    {
        switch (shape)
        {
            case var _ when value is null:
                json.WriteNullValue();
                break;
            case ScalarShape when value is string text:
                json.WriteStringValue(text);
                break;
            case ScalarShape when value is double number && !double.IsFinite(number):
                throw new SimulationException($"JSON has no {number}; this option cannot travel.");
            case ScalarShape:
                json.WriteRawValue(ScalarText.Format(value));
                break;
            case EnumShape names:
                json.WriteStringValue(names.Names.First(n => n.Value.Equals(value)).Name);
                break;
            case ListShape list:
                json.WriteStartArray();
                foreach (var item in (IEnumerable)value)
                {
                    WriteValue(json, list.Item, item);
                }

                json.WriteEndArray();
                break;
            case MapShape map:
                json.WriteStartObject();
                foreach (var (key, item) in OptionsValidator.Entries(value).OrderBy(e => e.Key, StringComparer.Ordinal))
                {
                    json.WritePropertyName(key);
                    WriteValue(json, map.Item, item);
                }

                json.WriteEndObject();
                break;
            case UnionShape union:
                var kind = union.KindOf(value);
                json.WriteStartObject();
                json.WriteString(OptionsShapes.Discriminator, kind);
                WriteProperties(json, union.Find(kind)!, value);
                json.WriteEndObject();
                break;
            case RecordShape record:
                json.WriteStartObject();
                WriteProperties(json, record, value);
                json.WriteEndObject();
                break;
            default:
                throw new SimulationException($"{shape.Type.Name} has no form in JSON.");
        }
    }

    private static void WriteProperties(Utf8JsonWriter json, RecordShape record, object value)
    {
        foreach (var property in record.Properties)
        {
            json.WritePropertyName(property.Key);
            WriteValue(json, property.Shape, property.Info.GetValue(value));
        }
    }
}
