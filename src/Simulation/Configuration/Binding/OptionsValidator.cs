using System.Collections;
using System.ComponentModel.DataAnnotations;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>Checks bound options against their data annotations and <see cref="IValidatableObject"/>, defaults included.</summary>
/// <param name="locations">Where each path was written; a default stands at its nearest written ancestor.</param>
/// <param name="failedPaths">Paths with errors already: the rules of the record that holds one are not asked, they would be misled.</param>
internal sealed class OptionsValidator(
    Dictionary<string, SourceLocation> locations, HashSet<string> failedPaths, List<ConfigError> errors, SourceLocation root)
{
    public void Validate(OptionsShape shape, object value, string path)
    {
        switch (shape)
        {
            case UnionShape union:
                Validate(union.Kinds.First(kind => kind.Shape.Type == value.GetType()).Shape, value, path);
                break;
            case ListShape list:
                var index = 0;
                foreach (var item in (IEnumerable)value)
                {
                    Validate(list.Item, item, $"{path}[{index++}]");
                }

                break;
            case MapShape map:
                foreach (var (key, item) in Entries(value))
                {
                    Validate(map.Item, item, ConfigBinder.Join(path, key));
                }

                break;
            case RecordShape record:
                ValidateRecord(record, value, path);
                break;
        }
    }

    internal static IEnumerable<(string Key, object Value)> Entries(object map)
    {
        foreach (var entry in (IEnumerable)map)
        {
            var type = entry.GetType();
            yield return ((string)type.GetProperty("Key")!.GetValue(entry)!, type.GetProperty("Value")!.GetValue(entry)!);
        }
    }

    private void ValidateRecord(RecordShape shape, object value, string path)
    {
        var before = errors.Count;
        var hasFailed = failedPaths.Contains(path);
        foreach (var property in shape.Properties)
        {
            var below = ConfigBinder.Join(path, property.Key);
            if (failedPaths.Contains(below))
            {
                hasFailed = true;
                continue;
            }

            if (property.Info.GetValue(value) is not { } item || item is IList { } list && IsDefault(list))
            {
                continue;
            }

            foreach (var rule in property.Rules)
            {
                Check(rule, property, value, item, below);
            }

            Validate(property.Shape, item, below);
        }

        if (!hasFailed && errors.Count == before && value is IValidatableObject self)
        {
            foreach (var result in self.Validate(new ValidationContext(value)))
            {
                var member = result.MemberNames.Select(name => shape.Properties.FirstOrDefault(p => p.Info.Name == name)?.Key)
                    .Select(key => key is null ? path : ConfigBinder.Join(path, key)).OrderBy(p => locations.ContainsKey(p) ? 0 : 1).FirstOrDefault() ?? path;
                errors.Add(new ConfigError(LocationOf(member), path, result.ErrorMessage ?? "is not valid."));
            }
        }
    }

    private void Check(ValidationAttribute rule, OptionsProperty property, object owner, object value, string path)
    {
        // A range on a list holds for each of its numbers.
        if (rule is RangeAttribute && property.Shape is ListShape)
        {
            var index = 0;
            foreach (var item in (IEnumerable)value)
            {
                CheckOne(rule, owner, item, $"{path}[{index++}]");
            }
        }
        else
        {
            CheckOne(rule, owner, value, path);
        }
    }

    private void CheckOne(ValidationAttribute rule, object owner, object value, string path)
    {
        if (rule.GetValidationResult(value, new ValidationContext(owner) { MemberName = path }) is not { } result)
        {
            return;
        }

        var message = rule switch
        {
            RangeAttribute range => $"must be {Ranges.Describe(range)}; there is {Text(value)}.",
            RequiredAttribute => "must not be empty.",
            RegularExpressionAttribute pattern => $"must match {pattern.Pattern}; there is {Text(value)}.",
            MinLengthAttribute length => $"needs at least {length.Length} {(length.Length == 1 ? "entry" : "entries")}.",
            MaxLengthAttribute length => $"may have at most {length.Length} entries.",
            _ => result.ErrorMessage ?? "is not valid.",
        };
        errors.Add(new ConfigError(LocationOf(path), path, message));
    }

    private static string Text(object value) => value is string or bool or IFormattable and not Enum ? ScalarText.Format(value) : value.ToString() ?? "";

    private static bool IsDefault(IList list) => list.GetType() is { IsGenericType: true } type
        && type.GetGenericTypeDefinition() == typeof(System.Collections.Immutable.ImmutableArray<>)
        && (bool)type.GetProperty("IsDefault")!.GetValue(list)!;

    private SourceLocation LocationOf(string path)
    {
        while (path.Length > 0)
        {
            if (locations.TryGetValue(path, out var location))
            {
                return location;
            }

            path = path[..Math.Max(0, path.LastIndexOfAny(['.', '[']))];
        }

        return locations.GetValueOrDefault("", root);
    }
}
