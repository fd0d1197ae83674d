using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>
/// Writes the JSON schema (draft 2020-12) of an options type, so that editors complete keys, show their documentation and underline
/// mistakes. It says what <see cref="ConfigBinder"/> accepts, except for rules between keys, which a schema cannot hold.
/// </summary>
public static class JsonSchemaWriter
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <param name="id">The schema's <c>$id</c>.</param>
    public static string Write(Type type, string id, string title)
    {
        ArgumentNullException.ThrowIfNull(type);
        var writer = new Writer();
        var root = writer.Definition(OptionsShapes.Of(type));
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = id,
            ["title"] = title,
        };
        foreach (var (key, value) in root.ToList())
        {
            root.Remove(key);
            schema[key] = value;
        }

        schema["$defs"] = writer.Definitions;
        return schema.ToJsonString(Indented) + "\n";
    }

    private sealed class Writer
    {
        private readonly SortedDictionary<string, JsonObject?> definitions = new(StringComparer.Ordinal);

        private readonly Dictionary<string, Type> names = [];

        public JsonObject Definitions => [.. definitions.Select(d => KeyValuePair.Create<string, JsonNode?>(d.Key, d.Value))];

        public JsonObject Definition(OptionsShape shape) => shape switch
        {
            ScalarShape scalar => Scalar(scalar.Type),
            EnumShape names => new JsonObject { ["oneOf"] = new JsonArray([.. names.Names.Select(n => Choice(names.Type, n.Name, n.Value))]) },
            ListShape list => new JsonObject { ["type"] = "array", ["items"] = Reference(list.Item) },
            MapShape map => new JsonObject { ["type"] = "object", ["additionalProperties"] = Reference(map.Item) },
            UnionShape union => Union(union),
            RecordShape record => Record(record, kind: null),
            _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "Unknown shape."),
        };

        private JsonObject Reference(OptionsShape shape)
        {
            if (shape is not (RecordShape or UnionShape))
            {
                return Definition(shape);
            }

            var name = JsonNamingPolicy.CamelCase.ConvertName(shape.Type.Name);
            if (!names.TryAdd(name, shape.Type) && names[name] != shape.Type)
            {
                throw new SimulationException($"Option types {names[name]} and {shape.Type} share a name; the schema needs one name each.");
            }

            if (definitions.TryAdd(name, null))
            {
                definitions[name] = Definition(shape);
            }

            return new JsonObject { ["$ref"] = $"#/$defs/{name}" };
        }

        private static JsonObject Choice(Type type, string name, object value) =>
            Described(XmlDocumentation.Of(type, value.ToString()!), new JsonObject { ["const"] = name });

        private JsonObject Union(UnionShape union)
        {
            var bare = union.Kinds.Where(kind => kind.Shape.Properties.All(p => !p.IsRequired)).Select(kind => JsonValue.Create(kind.Kind));
            var choices = new JsonArray([new JsonObject { ["enum"] = new JsonArray([.. bare]) }]);
            foreach (var (kind, shape) in union.Kinds)
            {
                choices.Add(Record(shape, kind));
            }

            return Described(XmlDocumentation.Of(union.Type), new JsonObject { ["oneOf"] = choices });
        }

        private JsonObject Record(RecordShape record, string? kind)
        {
            var properties = new JsonObject();
            var required = new JsonArray();
            if (kind is not null)
            {
                properties[OptionsShapes.Discriminator] = new JsonObject { ["const"] = kind };
                required.Add(OptionsShapes.Discriminator);
            }

            foreach (var property in record.Properties)
            {
                properties[property.Key] = Property(property, record.Defaults);
                if (property.IsRequired)
                {
                    required.Add(property.Key);
                }
            }

            var schema = Described(XmlDocumentation.Of(record.Type), new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false });
            if (required.Count > 0)
            {
                schema["required"] = required;
            }

            return schema;
        }

        private JsonObject Property(OptionsProperty property, object? defaults)
        {
            var schema = Reference(property.Shape);
            if (property.Rules.OfType<RangeAttribute>().FirstOrDefault() is { } range)
            {
                Bound(property.Shape is ListShape ? schema["items"]!.AsObject() : schema, range);
            }

            if (property.Shape is ListShape)
            {
                Set(schema, "minItems", property.Rules.OfType<MinLengthAttribute>().FirstOrDefault()?.Length);
                Set(schema, "maxItems", property.Rules.OfType<MaxLengthAttribute>().FirstOrDefault()?.Length);
            }

            if (property.IsNullable)
            {
                schema = new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
            }

            var described = Described(XmlDocumentation.Of(property.Info), schema);
            if (defaults is not null && property.Info.GetValue(defaults) is { } value && Default(property.Shape, value) is { } node)
            {
                described["default"] = node;
            }

            return described;
        }

        // A double may be infinite in YAML (.inf); editors read that as a number too.
        private static JsonObject Scalar(Type type) => type switch
        {
            _ when type == typeof(bool) => new JsonObject { ["type"] = "boolean" },
            _ when type == typeof(string) => new JsonObject { ["type"] = "string" },
            _ when type == typeof(float) || type == typeof(double) => new JsonObject { ["type"] = "number" },
            _ when type == typeof(uint) || type == typeof(ulong) => new JsonObject { ["type"] = "integer", ["minimum"] = 0 },
            _ => new JsonObject { ["type"] = "integer" },
        };

        private static void Bound(JsonObject schema, RangeAttribute range)
        {
            Set(schema, range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum", Ranges.Minimum(range));
            Set(schema, range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum", Ranges.Maximum(range));
        }

        private static void Set(JsonObject schema, string key, double? number)
        {
            if (number is { } n)
            {
                schema[key] = JsonNode.Parse(n.ToString("R", CultureInfo.InvariantCulture));
            }
        }

        private static JsonNode? Default(OptionsShape shape, object value) => shape switch
        {
            EnumShape names => names.Names.First(n => n.Value.Equals(value)).Name,
            ScalarShape when value is double number => double.IsFinite(number) ? JsonNode.Parse(ScalarText.Format(number)) : null,
            ScalarShape when value is float number => float.IsFinite(number) ? JsonNode.Parse(ScalarText.Format(number)) : null,
            ScalarShape when value is bool truth => truth,
            ScalarShape when value is string text => text,
            ScalarShape => JsonNode.Parse(ScalarText.Format(value)),
            ListShape { Item: ScalarShape item } => new JsonArray([.. ((System.Collections.IEnumerable)value).Cast<object>().Select(i => Default(item, i))]),
            UnionShape union => union.KindOf(value),
            _ => null,
        };

        private static JsonObject Described(string description, JsonObject schema)
        {
            if (description.Length > 0)
            {
                schema.Insert(0, "description", description);
            }

            return schema;
        }
    }
}
