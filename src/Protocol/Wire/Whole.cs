using System.Collections.Immutable;
using System.Text.Json;

namespace Federated.Protocol.Wire;

/// <summary>Lists and dictionaries of messages without holes: the serializer refuses a member that is null, but lets null stand for an element.</summary>
internal static class Whole
{
    /// <returns>An empty list for none.</returns>
    /// <exception cref="JsonException">An element is null.</exception>
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T>? list)
        where T : class => list is null ? [] : list.All(element => element is not null) ? list : throw new JsonException("A list here has no null in it.");

    /// <inheritdoc cref="Of{T}(IReadOnlyList{T})"/>
    public static IReadOnlyDictionary<string, T> Of<T>(IReadOnlyDictionary<string, T>? dictionary)
        where T : class => dictionary is null ? ImmutableDictionary<string, T>.Empty
            : dictionary.Values.All(value => value is not null) ? dictionary : throw new JsonException("What stands under a name here is not null.");
}
