using System.Collections.Immutable;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>Configuration as it was written, before it has types: scalars, lists and mappings that know where they stand.</summary>
public abstract record ConfigNode(SourceLocation Location);

/// <summary>One value.</summary>
/// <param name="IsQuoted">True when it was written in quotes: then it is text, whatever it looks like.</param>
public sealed record ConfigScalar(string Text, bool IsQuoted, SourceLocation Location) : ConfigNode(Location)
{
    /// <summary>True for an empty value, <c>null</c> and <c>~</c>.</summary>
    public bool IsNull => !IsQuoted && (Text is "" or "null" or "~");
}

/// <summary>A list.</summary>
public sealed record ConfigSequence(ImmutableArray<ConfigNode> Items, SourceLocation Location) : ConfigNode(Location);

/// <summary>Keys and their values, in the order written; keys are unique.</summary>
public sealed record ConfigMapping(ImmutableArray<ConfigEntry> Entries, SourceLocation Location) : ConfigNode(Location)
{
    /// <summary>The value of <paramref name="key"/>; null when the key is not there.</summary>
    public ConfigNode? this[string key] => IndexOf(key) is var i and >= 0 ? Entries[i].Value : null;

    /// <summary>A copy in which <paramref name="key"/> has the given value.</summary>
    public ConfigMapping With(string key, ConfigNode value)
    {
        var index = IndexOf(key);
        return this with
        {
            Entries = index >= 0 ? Entries.SetItem(index, Entries[index] with { Value = value }) : Entries.Add(new ConfigEntry(key, value.Location, value)),
        };
    }

    private int IndexOf(string key)
    {
        for (var i = 0; i < Entries.Length; i++)
        {
            if (Entries[i].Key == key)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>One key of a mapping.</summary>
public sealed record ConfigEntry(string Key, SourceLocation KeyLocation, ConfigNode Value);
