namespace Federated.Simulation.Configuration.Binding;

/// <summary>Says what was probably meant by a key that is not there: a misspelling, another kind's key, or a key of another place.</summary>
internal static class UnknownKey
{
    public static string Explain(string key, RecordShape here, UnionShape? union, OptionsShape root)
    {
        var own = here.Properties.Select(p => p.Key).ToList();
        var keys = own.Count == 0 ? "no keys are known here" : $"the keys here are {string.Join(", ", own)}";
        if (ConfigBinder.DidYouMean(key, own) is { Length: > 0 } nearest)
        {
            return $"there is no key '{key}'{nearest}";
        }

        var kinds = union?.Kinds.Where(kind => kind.Shape.Find(key) is not null).Select(kind => $"'{kind.Kind}'").ToList() ?? [];
        if (kinds.Count > 0)
        {
            var chosen = union!.Kinds.First(kind => kind.Shape.Type == here.Type).Kind;
            return $"there is no key '{key}' for {OptionsShapes.Discriminator} '{chosen}'; it belongs to {string.Join(", ", kinds)}. Change the kind, or remove the key; {keys}.";
        }

        var elsewhere = Places(root, "", []).Where(place => place.Key == key).Select(place => $"'{place.Path}'").Distinct().Take(3).ToList();
        return elsewhere.Count > 0
            ? $"there is no key '{key}' here, but there is {string.Join(" and ", elsewhere)}; {keys}."
            : $"there is no key '{key}'; {keys}.";
    }

    // Every key of the whole configuration with the path to it; a type is entered once per path from the root.
    private static IEnumerable<(string Key, string Path)> Places(OptionsShape shape, string path, HashSet<Type> above)
    {
        switch (shape)
        {
            case ListShape list:
                return Places(list.Item, $"{path}[…]", above);
            case MapShape map:
                return Places(map.Item, ConfigBinder.Join(path, "…"), above);
            case UnionShape union:
                return union.Kinds.SelectMany(kind => Places(kind.Shape, path, above));
            case RecordShape record when above.Add(record.Type):
                var places = record.Properties.SelectMany(p =>
                    Places(p.Shape, ConfigBinder.Join(path, p.Key), above).Prepend((p.Key, Path: ConfigBinder.Join(path, p.Key)))).ToList();
                above.Remove(record.Type);
                return places;
            default:
                return [];
        }
    }
}
