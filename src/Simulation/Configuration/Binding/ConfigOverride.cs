using System.Collections.Immutable;
using System.Globalization;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>One <c>--set path=value</c>: replaces or adds a value in what the file says. The value is YAML, so lists and mappings work.</summary>
/// <remarks>
/// A path is keys joined by dots; a number, or a number in brackets, is a place in a list (<c>model.hidden[0]</c>, <c>model.hidden.0</c>).
/// The place after the last one appends.
/// </remarks>
public sealed record ConfigOverride
{
    private ConfigOverride(string text, ImmutableArray<string> path, ConfigNode value) => (Text, Path, Value) = (text, path, value);

    /// <summary>As typed after <c>--set</c>.</summary>
    public string Text { get; }

    public ImmutableArray<string> Path { get; }

    public ConfigNode Value { get; }

    private SourceLocation Location => new($"--set {Text}", 0, 0);

    /// <param name="text"><c>key.key=value</c>.</param>
    public static ConfigResult<ConfigOverride> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var location = new SourceLocation($"--set {text}", 0, 0);
        var split = text.IndexOf('=', StringComparison.Ordinal);
        var path = split <= 0 ? [] : text[..split].Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.', StringSplitOptions.TrimEntries);
        if (path.Length == 0 || path.Any(part => part.Length == 0))
        {
            return ConfigResult<ConfigOverride>.Failed(new ConfigError(location, "", "needs the form key.key=value, for example training.batchSize=32."));
        }

        var value = text[(split + 1)..].Trim();
        if (value.Length == 0)
        {
            return ConfigResult<ConfigOverride>.Failed(new ConfigError(location, "", "has no value; write null to unset, or \"\" for empty text."));
        }

        var node = YamlConfigReader.Read(value, location.Source);
        return node.IsValid
            ? ConfigResult<ConfigOverride>.Of(new ConfigOverride(text, [.. path], Relocate(node.Value, location)))
            : ConfigResult<ConfigOverride>.Failed(node.Errors.Select(error => error with { Location = location }));
    }

    /// <summary>The configuration with this override in it.</summary>
    public ConfigResult<ConfigNode> Apply(ConfigNode root) => Apply(root, 0);

    private ConfigResult<ConfigNode> Apply(ConfigNode node, int depth)
    {
        if (depth == Path.Length)
        {
            return ConfigResult<ConfigNode>.Of(Value);
        }

        var key = Path[depth];
        switch (node)
        {
            case ConfigSequence list:
                if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > list.Items.Length)
                {
                    var places = list.Items.Length == 0 ? "it is empty; 0 appends" : $"it has places 0 to {list.Items.Length - 1}, and {list.Items.Length} appends";
                    return ConfigResult<ConfigNode>.Failed(new ConfigError(Location, string.Join('.', Path[..depth]), $"this is a list; '{key}' is no place in it: {places}."));
                }

                var item = Apply(index < list.Items.Length ? list.Items[index] : Nothing(), depth + 1);
                return !item.IsValid
                    ? item
                    : ConfigResult<ConfigNode>.Of(list with { Items = index < list.Items.Length ? list.Items.SetItem(index, item.Value) : list.Items.Add(item.Value) });
            default:
                var mapping = node switch
                {
                    ConfigMapping there => there,
                    // "optimizer: adam" is short for "optimizer: {kind: adam}".
                    ConfigScalar { IsNull: false } scalar => new ConfigMapping([new ConfigEntry(OptionsShapes.Discriminator, scalar.Location, scalar)], scalar.Location),
                    _ => new ConfigMapping([], Location),
                };
                var value = Apply(mapping[key] ?? Nothing(), depth + 1);
                return value.IsValid ? ConfigResult<ConfigNode>.Of(mapping.With(key, value.Value)) : value;
        }
    }

    private ConfigScalar Nothing() => new("", false, Location);

    private static ConfigNode Relocate(ConfigNode node, SourceLocation location) => node switch
    {
        ConfigSequence list => new ConfigSequence([.. list.Items.Select(item => Relocate(item, location))], location),
        ConfigMapping mapping => new ConfigMapping([.. mapping.Entries.Select(entry => new ConfigEntry(entry.Key, location, Relocate(entry.Value, location)))], location),
        _ => node with { Location = location },
    };
}
