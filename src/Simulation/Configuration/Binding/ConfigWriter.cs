using System.Collections;
using System.Text;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>
/// Writes options as YAML with every default written out, in a fixed order: inherited keys first, then as declared. Reading the text
/// back gives equal options.
/// </summary>
public static class ConfigWriter
{
    public static string Write(object options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var text = new StringBuilder();
        // A root that is one of several kinds is described by its abstract type.
        var type = options.GetType();
        var shape = type.BaseType is { IsAbstract: true } parent && parent != typeof(object) && OptionsShapes.Of(parent) is UnionShape union ? union : OptionsShapes.Of(type);
        WriteKeys(text, shape, options, 0);
        return text.ToString();
    }

    private static void WriteKeys(StringBuilder text, OptionsShape shape, object options, int indent)
    {
        foreach (var (key, item, value) in Keys(shape, options))
        {
            text.Append(' ', indent).Append(ScalarText.Quote(key)).Append(':');
            WriteValue(text, item, value, indent + 2);
        }
    }

    private static IEnumerable<(string Key, OptionsShape Shape, object? Value)> Keys(OptionsShape shape, object options)
    {
        switch (shape)
        {
            case UnionShape union:
                var kind = union.KindOf(options);
                return Keys(union.Find(kind)!, options).Prepend((OptionsShapes.Discriminator, new ScalarShape(typeof(string)), kind));
            case RecordShape record:
                return record.Properties.Select(p => (p.Key, p.Shape, p.Info.GetValue(options)));
            case MapShape map:
                return OptionsValidator.Entries(options).OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => (e.Key, map.Item, (object?)e.Value));
            default:
                throw new SimulationException($"{shape.Type.Name} is no record; only records are written as configuration files.");
        }
    }

    // Continues a line that ends in ':' or '-'.
    private static void WriteValue(StringBuilder text, OptionsShape shape, object? value, int indent)
    {
        switch (shape)
        {
            case var _ when value is null:
                text.Append(" null\n");
                break;
            case ScalarShape:
                text.Append(' ').Append(ScalarText.Format(value)).Append('\n');
                break;
            case EnumShape names:
                text.Append(' ').Append(names.Names.First(n => n.Value.Equals(value)).Name).Append('\n');
                break;
            case ListShape list:
                WriteList(text, list, (IEnumerable)value, indent);
                break;
            default:
                if (Keys(shape, value).Any())
                {
                    text.Append('\n');
                    WriteKeys(text, shape, value, indent);
                }
                else
                {
                    text.Append(" {}\n");
                }

                break;
        }
    }

    private static void WriteList(StringBuilder text, ListShape list, IEnumerable items, int indent)
    {
        if (list.Item is ScalarShape or EnumShape)
        {
            var one = new StringBuilder();
            text.Append(" [").AppendJoin(", ", items.Cast<object>().Select(item =>
            {
                one.Clear();
                WriteValue(one, list.Item, item, 0);
                return one.ToString().Trim();
            })).Append("]\n");
            return;
        }

        if (!items.Cast<object>().Any())
        {
            text.Append(" []\n");
            return;
        }

        text.Append('\n');
        foreach (var item in items)
        {
            // "- kind: x" on one line, its other keys below it.
            var start = text.Length;
            if (list.Item is ListShape inner)
            {
                text.Append(' ', indent).Append('-');
                WriteList(text, inner, (IEnumerable)item, indent + 2);
            }
            else
            {
                WriteKeys(text, list.Item, item, indent + 2);
                if (text.Length == start)
                {
                    text.Append(' ', indent).Append("- {}\n");
                }
                else
                {
                    text[start + indent] = '-';
                }
            }
        }
    }
}
