using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>
/// Reads YAML into nodes. Only the part of the language that configuration needs: one document, mappings with plain keys, lists,
/// scalars, anchors and aliases. Tags are refused: types come from the options, never from the file.
/// </summary>
public static class YamlConfigReader
{
    /// <summary>Deepest nesting read; a deeper file is a mistake or an attack on the stack.</summary>
    private const int MaxDepth = 64;

    /// <summary>Most nodes read, aliases expanded: an alias of an alias multiplies.</summary>
    private const int MaxNodes = 1_000_000;

    /// <param name="source">The name that errors give, usually the file's path as typed.</param>
    public static ConfigResult<ConfigNode> Read(string text, string source)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parser = new Parser(new StringReader(text));
        try
        {
            var reader = new Reader(source, parser);
            return ConfigResult<ConfigNode>.Of(reader.Document());
        }
        catch (YamlException problem)
        {
            var location = new SourceLocation(source, (int)problem.Start.Line, (int)problem.Start.Column);
            return ConfigResult<ConfigNode>.Failed(new ConfigError(location, "", $"this is not YAML: {Trim(problem.Message)}"));
        }
        catch (InvalidOperationException)
        {
            // YamlDotNet's scanner, where a brace that is not closed makes a key of two lines.
            var at = parser.Current?.End ?? Mark.Empty;
            return ConfigResult<ConfigNode>.Failed(new ConfigError(
                new SourceLocation(source, (int)at.Line, (int)at.Column), "", "this is not YAML: what follows can be read in no way; look for a brace, comma or quotation mark that is missing or one too many"));
        }
        catch (Refusal refusal)
        {
            return ConfigResult<ConfigNode>.Failed(refusal.Error);
        }
    }

    // YamlDotNet puts the position in front of some messages; the location says it already.
    private static string Trim(string message)
    {
        var end = message.IndexOf("): ", StringComparison.Ordinal);
        return message.StartsWith("(Line", StringComparison.Ordinal) && end > 0 ? message[(end + 3)..] : message;
    }

    private sealed class Refusal(ConfigError error) : Exception(error.Message)
    {
        public ConfigError Error { get; } = error;
    }

    private sealed class Reader(string source, IParser parser)
    {
        private readonly Dictionary<AnchorName, ConfigNode> anchors = [];
        private int nodes;

        public ConfigNode Document()
        {
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _))
            {
                return new ConfigScalar("", false, new SourceLocation(source, 1, 1));
            }

            var root = Node(0);
            parser.Consume<DocumentEnd>();
            if (parser.Current is DocumentStart next)
            {
                throw Refuse(next.Start, "a second document starts here; a configuration is one document.");
            }

            return root;
        }

        private ConfigNode Node(int depth)
        {
            if (depth > MaxDepth)
            {
                throw Refuse(parser.Current!.Start, $"nested more than {MaxDepth} deep.");
            }

            switch (parser.Consume<ParsingEvent>())
            {
                case AnchorAlias alias:
                    if (!anchors.TryGetValue(alias.Value, out var target))
                    {
                        throw Refuse(alias.Start, $"there is no anchor '{alias.Value}' before this alias.");
                    }

                    Count(target, alias.Start);
                    return target;
                case Scalar scalar:
                    RefuseTag(scalar);
                    return Named(scalar, new ConfigScalar(scalar.Value, scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any), At(scalar.Start)));
                case SequenceStart start:
                    RefuseTag(start);
                    var items = ImmutableArray.CreateBuilder<ConfigNode>();
                    while (!parser.TryConsume<SequenceEnd>(out _))
                    {
                        items.Add(Node(depth + 1));
                    }

                    return Named(start, new ConfigSequence(items.ToImmutable(), At(start.Start)));
                case MappingStart start:
                    RefuseTag(start);
                    return Named(start, new ConfigMapping(Entries(depth), At(start.Start)));
                case var other:
                    throw Refuse(other.Start, "a value was expected here.");
            }
        }

        private ImmutableArray<ConfigEntry> Entries(int depth)
        {
            var entries = ImmutableArray.CreateBuilder<ConfigEntry>();
            var seen = new Dictionary<string, SourceLocation>(StringComparer.Ordinal);
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (!parser.TryConsume<Scalar>(out var key))
                {
                    throw Refuse(parser.Current!.Start, "a key must be a plain word.");
                }

                if (seen.TryGetValue(key.Value, out var first))
                {
                    throw Refuse(key.Start, $"key '{key.Value}' appears twice; the first is at {first}.");
                }

                seen.Add(key.Value, At(key.Start));
                entries.Add(new ConfigEntry(key.Value, At(key.Start), Node(depth + 1)));
            }

            return entries.ToImmutable();
        }

        private ConfigNode Named(NodeEvent start, ConfigNode node)
        {
            nodes++;
            if (!start.Anchor.IsEmpty)
            {
                anchors[start.Anchor] = node;
            }

            return node;
        }

        private void Count(ConfigNode node, Mark at)
        {
            nodes++;
            if (nodes > MaxNodes)
            {
                throw Refuse(at, $"more than {MaxNodes} values, aliases expanded.");
            }

            switch (node)
            {
                case ConfigSequence sequence:
                    foreach (var item in sequence.Items)
                    {
                        Count(item, at);
                    }

                    break;
                case ConfigMapping mapping:
                    foreach (var entry in mapping.Entries)
                    {
                        Count(entry.Value, at);
                    }

                    break;
            }
        }

        private void RefuseTag(NodeEvent node)
        {
            if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
            {
                throw Refuse(node.Start, $"tag '{node.Tag}' is not understood; the options give every value its type.");
            }
        }

        private Refusal Refuse(Mark at, string message) => new(new ConfigError(At(at), "", message));

        private SourceLocation At(Mark mark) => new(source, (int)mark.Line, (int)mark.Column);
    }
}
