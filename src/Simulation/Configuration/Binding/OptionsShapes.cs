using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>
/// Reads option types by reflection. Understood: init-only records, records with a primary constructor, abstract records with
/// <see cref="JsonDerivedTypeAttribute"/>, enums, lists, maps of text keys, numbers, truth values, text, and nullable forms of these.
/// </summary>
public static class OptionsShapes
{
    /// <summary>The key that chooses among the kinds of an option.</summary>
    public const string Discriminator = "kind";

    private static readonly FrozenSet<Type> Scalars = new[]
    {
        typeof(bool), typeof(int), typeof(long), typeof(uint), typeof(ulong), typeof(float), typeof(double), typeof(string),
    }.ToFrozenSet();

    private static readonly ConcurrentDictionary<Type, OptionsShape> Known = new();

    /// <exception cref="SimulationException">The type is none of those understood: a defect of the option type.</exception>
    public static OptionsShape Of(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (Known.TryGetValue(type, out var known))
        {
            return known;
        }

        return Known.GetOrAdd(type, Describe(type));
    }

    internal static ImmutableArray<OptionsProperty> PropertiesOf(Type type)
    {
        var nullability = new NullabilityInfoContext();
        var lineage = new Stack<Type>();
        for (var t = type; t is not null && t != typeof(object); t = t.BaseType)
        {
            lineage.Push(t);
        }

        var constructor = ConstructorOf(type);
        var mandatory = constructor.GetParameters().Where(p => !p.HasDefaultValue).Select(p => p.Name!).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var sample = mandatory.Count > 0 ? null : constructor.Invoke([.. constructor.GetParameters().Select(p => p.DefaultValue)]);
        var properties = lineage
            .SelectMany(t => t.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).OrderBy(p => p.MetadataToken))
            .Where(p => p.SetMethod is { IsPublic: true } && p.GetIndexParameters().Length == 0 && p.GetCustomAttribute<JsonIgnoreAttribute>() is null);
        return
        [
            .. properties.Select(p =>
            {
                var underlying = Nullable.GetUnderlyingType(p.PropertyType);
                var isNullable = underlying is not null || (!p.PropertyType.IsValueType && nullability.Create(p).WriteState == NullabilityState.Nullable);
                // [Required] forbids null; where the default is a value already, the key may be left out.
                var isRequired = p.IsDefined(typeof(RequiredMemberAttribute)) || mandatory.Contains(p.Name)
                    || (p.IsDefined(typeof(RequiredAttribute)) && (sample is null || p.GetValue(sample) is null));
                var key = p.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(p.Name);
                return new OptionsProperty(p, key, Of(underlying ?? p.PropertyType), isNullable, isRequired, [.. p.GetCustomAttributes<ValidationAttribute>()]);
            }),
        ];
    }

    internal static ConstructorInfo ConstructorOf(Type type) =>
        type.GetConstructors().OrderBy(c => c.GetParameters().Length == 0 ? 0 : 1).ThenByDescending(c => c.GetParameters().Length).FirstOrDefault()
        ?? throw new SimulationException($"Option type {type.Name} has no public constructor; the binder needs one.");

    internal static object? DefaultsOf(Type type)
    {
        if (PropertiesOf(type).Any(p => p.IsRequired))
        {
            return null;
        }

        var constructor = ConstructorOf(type);
        return constructor.Invoke([.. constructor.GetParameters().Select(p => p.DefaultValue)]);
    }

    /// <summary>A copy of a record, by the method that <c>with</c> expressions call; null when the type is no record.</summary>
    internal static object? TryClone(object value) => value.GetType().GetMethod("<Clone>$")?.Invoke(value, []);

    private static OptionsShape Describe(Type type)
    {
        if (Scalars.Contains(type))
        {
            return new ScalarShape(type);
        }

        if (type.IsEnum)
        {
            return new EnumShape(type, [.. Enum.GetNames(type).Select(name => (EnumName(type, name), Enum.Parse(type, name)))]);
        }

        if (TryDescribeCollection(type) is { } collection)
        {
            return collection;
        }

        var kinds = type.GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).ToList();
        if (kinds.Count > 0)
        {
            return new UnionShape(type, [.. kinds.Select(kind => ((string)kind.TypeDiscriminator!, new RecordShape(kind.DerivedType)))]);
        }

        if (type is { IsClass: true, IsAbstract: false } && type.GetMethod("<Clone>$") is not null)
        {
            return new RecordShape(type);
        }

        throw new SimulationException($"Option type {type} cannot be configured; use records, enums, lists, string-keyed maps, numbers, bool or string.");
    }

    private static string EnumName(Type type, string name) =>
        type.GetField(name)!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.KebabCaseLower.ConvertName(name);

    private static OptionsShape? TryDescribeCollection(Type type)
    {
        if (type.IsArray)
        {
            var element = type.GetElementType()!;
            return new ListShape(type, Of(element), items => ToArray(element, items));
        }

        if (!type.IsGenericType)
        {
            return null;
        }

        var definition = type.GetGenericTypeDefinition();
        var arguments = type.GetGenericArguments();
        if (definition == typeof(ImmutableArray<>))
        {
            return new ListShape(type, Of(arguments[0]), items => Call(nameof(ToImmutableArray), arguments[0], items));
        }

        if (definition == typeof(IReadOnlyList<>) || definition == typeof(IReadOnlyCollection<>) || definition == typeof(IEnumerable<>))
        {
            return new ListShape(type, Of(arguments[0]), items => ToArray(arguments[0], items));
        }

        if (arguments is [var key, var value] && key == typeof(string)
            && (definition == typeof(IReadOnlyDictionary<,>) || definition == typeof(ImmutableDictionary<,>) || definition == typeof(ImmutableSortedDictionary<,>)))
        {
            var method = definition == typeof(ImmutableDictionary<,>) ? nameof(ToImmutableDictionary) : nameof(ToImmutableSortedDictionary);
            return new MapShape(type, Of(value), entries => Call(method, value, entries));
        }

        return null;
    }

    private static Array ToArray(Type element, IReadOnlyList<object?> items)
    {
        var array = Array.CreateInstance(element, items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            array.SetValue(items[i], i);
        }

        return array;
    }

    private static object Call(string method, Type element, object argument) =>
        typeof(OptionsShapes).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(element).Invoke(null, [argument])!;

    private static ImmutableArray<T> ToImmutableArray<T>(IReadOnlyList<object?> items) => [.. items.Select(item => (T)item!)];

    private static ImmutableDictionary<string, T> ToImmutableDictionary<T>(IReadOnlyDictionary<string, object?> entries) =>
        entries.ToImmutableDictionary(entry => entry.Key, entry => (T)entry.Value!);

    private static ImmutableSortedDictionary<string, T> ToImmutableSortedDictionary<T>(IReadOnlyDictionary<string, object?> entries) =>
        entries.ToImmutableSortedDictionary(entry => entry.Key, entry => (T)entry.Value!, StringComparer.Ordinal);
}
