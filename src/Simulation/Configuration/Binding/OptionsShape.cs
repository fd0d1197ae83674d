using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>What a configuration value of some type looks like; derived from the option types by <see cref="OptionsShapes"/>.</summary>
public abstract record OptionsShape(Type Type);

/// <summary>A number, a truth value or a text.</summary>
public sealed record ScalarShape(Type Type) : OptionsShape(Type);

/// <summary>One of a few names.</summary>
/// <param name="Names">Name in configuration (kebab-case) → value.</param>
public sealed record EnumShape(Type Type, ImmutableArray<(string Name, object Value)> Names) : OptionsShape(Type);

/// <summary>A list.</summary>
/// <param name="Make">From the items to the collection type.</param>
public sealed record ListShape(Type Type, OptionsShape Item, Func<IReadOnlyList<object?>, object> Make) : OptionsShape(Type);

/// <summary>Free names, each with a value.</summary>
public sealed record MapShape(Type Type, OptionsShape Item, Func<IReadOnlyDictionary<string, object?>, object> Make) : OptionsShape(Type);

/// <summary>An options record: fixed keys.</summary>
public sealed record RecordShape(Type Type) : OptionsShape(Type)
{
    private readonly Lazy<ImmutableArray<OptionsProperty>> properties = new(() => OptionsShapes.PropertiesOf(Type));
    private readonly Lazy<object?> defaults = new(() => OptionsShapes.DefaultsOf(Type));

    /// <summary>Inherited keys first, then in the order of declaration.</summary>
    public ImmutableArray<OptionsProperty> Properties => properties.Value;

    /// <summary>An instance with every default; null when some key must be given.</summary>
    public object? Defaults => defaults.Value;

    public OptionsProperty? Find(string key) => Properties.FirstOrDefault(property => property.Key == key);

    /// <summary>
    /// A record with the given values. What is not given comes from <paramref name="template"/>, else from the type's own defaults.
    /// </summary>
    public object Create(IReadOnlyDictionary<OptionsProperty, object?> values, object? template)
    {
        if ((template ?? Defaults) is { } from && OptionsShapes.TryClone(from) is { } copy)
        {
            foreach (var (property, value) in values)
            {
                property.Info.SetValue(copy, value);
            }

            return copy;
        }

        var constructor = OptionsShapes.ConstructorOf(Type);
        var byName = values.ToDictionary(pair => pair.Key.Info.Name, pair => pair.Value, StringComparer.OrdinalIgnoreCase);
        var parameters = constructor.GetParameters();
        var arguments = parameters.Select(p => byName.TryGetValue(p.Name!, out var value) ? value : p.HasDefaultValue ? p.DefaultValue : null).ToArray();
        var made = constructor.Invoke(arguments);
        foreach (var (property, value) in values)
        {
            if (!parameters.Any(p => p.Name!.Equals(property.Info.Name, StringComparison.OrdinalIgnoreCase)))
            {
                property.Info.SetValue(made, value);
            }
        }

        return made;
    }

    public bool Equals(RecordShape? other) => other?.Type == Type;

    public override int GetHashCode() => Type.GetHashCode();
}

/// <summary>One of several option records, chosen by <c>kind</c>.</summary>
public sealed record UnionShape(Type Type, ImmutableArray<(string Kind, RecordShape Shape)> Kinds) : OptionsShape(Type)
{
    public RecordShape? Find(string kind) => Kinds.FirstOrDefault(k => k.Kind == kind).Shape;

    public string KindOf(object value) => Kinds.First(k => k.Shape.Type == value.GetType()).Kind;
}

/// <summary>One key of an options record.</summary>
/// <param name="Key">As written in configuration, camelCase.</param>
/// <param name="IsNullable">Whether <c>null</c> is a value.</param>
/// <param name="IsRequired">Whether the key must be there.</param>
public sealed record OptionsProperty(PropertyInfo Info, string Key, OptionsShape Shape, bool IsNullable, bool IsRequired, ImmutableArray<ValidationAttribute> Rules)
{
    public bool Equals(OptionsProperty? other) => other?.Info == Info;

    public override int GetHashCode() => Info.GetHashCode();
}
