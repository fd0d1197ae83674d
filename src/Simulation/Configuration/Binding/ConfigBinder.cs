using System.Reflection;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>
/// Turns written configuration into option records, strictly: an unknown key, a wrong type or a value out of range is an error that
/// says where it stands and what would be right. All errors are found at once.
/// </summary>
public static class ConfigBinder
{
    /// <summary>Binds <paramref name="root"/>, with the overrides applied in order, to options of type <typeparamref name="T"/>.</summary>
    public static ConfigResult<T> Bind<T>(ConfigNode root, params IEnumerable<ConfigOverride> overrides)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(overrides);
        // An empty file asks for every default.
        root = root is ConfigScalar { IsNull: true } ? new ConfigMapping([], root.Location) : root;
        foreach (var change in overrides)
        {
            var changed = change.Apply(root);
            if (!changed.IsValid)
            {
                return ConfigResult<T>.Failed(changed.Errors);
            }

            root = changed.Value;
        }

        var binding = new Binding(OptionsShapes.Of(typeof(T)));
        return binding.Run(root) is T value ? ConfigResult<T>.Of(value) : ConfigResult<T>.Failed(binding.Errors);
    }

    private sealed class Binding(OptionsShape rootShape)
    {
        private static readonly object Failed = new();
        private readonly Dictionary<string, SourceLocation> locations = new(StringComparer.Ordinal);
        private readonly HashSet<string> failedPaths = new(StringComparer.Ordinal);

        public List<ConfigError> Errors { get; } = [];

        public object? Run(ConfigNode root)
        {
            var value = Bind(rootShape, root, "", template: null);
            if (value != Failed)
            {
                new OptionsValidator(locations, failedPaths, Errors, root.Location).Validate(rootShape, value!, "");
            }

            return Errors.Count == 0 ? value : null;
        }

        private object? Bind(OptionsShape shape, ConfigNode node, string path, object? template)
        {
            locations[path] = node.Location;
            return shape switch
            {
                ScalarShape scalar => BindScalar(scalar, node, path),
                EnumShape names => BindEnum(names, node, path),
                ListShape list => BindList(list, node, path),
                MapShape map => BindMap(map, node, path),
                UnionShape union => BindUnion(union, node, path),
                RecordShape record => BindRecord(record, node, path, template, union: null),
                _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "Unknown shape."),
            };
        }

        private object? BindScalar(ScalarShape shape, ConfigNode node, string path)
        {
            if (node is not ConfigScalar scalar)
            {
                return Fail(node, path, $"needs {ScalarText.Need(shape.Type)}; there is {Describe(node)}.");
            }

            if (ScalarText.Parse(shape.Type, scalar) is { } value)
            {
                return value;
            }

            var hint = (shape.Type, scalar.Text.ToLowerInvariant()) switch
            {
                _ when scalar.IsQuoted => "; leave out the quotes",
                (var type, "yes" or "on" or "true") when type == typeof(bool) => "; write true",
                (var type, "no" or "off" or "false") when type == typeof(bool) => "; write false",
                _ => "",
            };
            return Fail(node, path, $"needs {ScalarText.Need(shape.Type)}; there is {Describe(node)}{hint}.");
        }

        private object BindEnum(EnumShape shape, ConfigNode node, string path)
        {
            var names = shape.Names.Select(n => n.Name).ToList();
            if (node is ConfigScalar { IsNull: false } scalar)
            {
                foreach (var (name, value) in shape.Names)
                {
                    if (name == scalar.Text)
                    {
                        return value;
                    }
                }

                return Fail(node, path, $"there is no '{scalar.Text}' here{DidYouMean(scalar.Text, names)}; one of {string.Join(", ", names)} is needed.");
            }

            return Fail(node, path, $"needs one of {string.Join(", ", names)}; there is {Describe(node)}.");
        }

        private object? BindList(ListShape shape, ConfigNode node, string path)
        {
            if (node is not ConfigSequence list)
            {
                return Fail(node, path, $"needs a list, as in [a, b]; there is {Describe(node)}.");
            }

            var items = list.Items.Select((item, i) => Bind(shape.Item, item, $"{path}[{i}]", template: null)).ToList();
            return items.Contains(Failed) ? FailQuietly(path) : shape.Make(items);
        }

        private object? BindMap(MapShape shape, ConfigNode node, string path)
        {
            if (node is not ConfigMapping mapping)
            {
                return Fail(node, path, $"needs keys with values; there is {Describe(node)}.");
            }

            var entries = mapping.Entries.ToDictionary(e => e.Key, e => Bind(shape.Item, e.Value, Join(path, e.Key), template: null));
            return entries.ContainsValue(Failed) ? FailQuietly(path) : shape.Make(entries);
        }

        private object? BindUnion(UnionShape shape, ConfigNode node, string path)
        {
            var names = shape.Kinds.Select(k => k.Kind).ToList();
            var chooser = node switch
            {
                // "partition: iid" is short for "partition: {kind: iid}".
                ConfigScalar { IsNull: false } => node,
                ConfigMapping mapping => mapping[OptionsShapes.Discriminator],
                _ => null,
            };
            if (chooser is null)
            {
                var hint = node is ConfigMapping given ? KindHint(shape, given) : "";
                return Fail(node, path, $"needs a {OptionsShapes.Discriminator}{hint}: one of {string.Join(", ", names)}.");
            }

            if (chooser is not ConfigScalar { IsNull: false } kind)
            {
                return Fail(chooser, Join(path, OptionsShapes.Discriminator), $"needs one of {string.Join(", ", names)}; there is {Describe(chooser)}.");
            }

            if (shape.Find(kind.Text) is not { } record)
            {
                return Fail(kind, path, $"there is no kind '{kind.Text}'{DidYouMean(kind.Text, names)}; the kinds are {string.Join(", ", names)}.");
            }

            var body = node as ConfigMapping ?? new ConfigMapping([], node.Location);
            return BindRecord(record, body, path, template: null, shape);
        }

        private object? BindRecord(RecordShape shape, ConfigNode node, string path, object? template, UnionShape? union)
        {
            if (node is not ConfigMapping mapping)
            {
                return Fail(node, path, $"needs keys with values ({string.Join(", ", shape.Properties.Select(p => p.Key))}); there is {Describe(node)}.");
            }

            template = template?.GetType() == shape.Type ? template : shape.Defaults;
            var values = new Dictionary<OptionsProperty, object?>();
            var isComplete = true;
            foreach (var entry in mapping.Entries.Where(e => union is null || e.Key != OptionsShapes.Discriminator))
            {
                if (shape.Find(entry.Key) is not { } property)
                {
                    Fail(new ConfigScalar("", false, entry.KeyLocation), path, UnknownKey.Explain(entry.Key, shape, union, rootShape));
                    continue;
                }

                var below = Join(path, entry.Key);
                var value = entry.Value is ConfigScalar { IsNull: true }
                    ? property.IsNullable ? null : Fail(entry.Value, below, $"must have a value{Need(property.Shape)}.")
                    : Bind(property.Shape, entry.Value, below, template is null ? null : property.Info.GetValue(template));
                locations.TryAdd(below, entry.KeyLocation);
                if (value == Failed)
                {
                    isComplete &= !property.IsRequired;
                }
                else
                {
                    values[property] = value;
                }
            }

            foreach (var missing in shape.Properties.Where(p => p.IsRequired && mapping[p.Key] is null))
            {
                isComplete = false;
                Fail(node, path, $"key '{missing.Key}' is missing{Need(missing.Shape)}.");
            }

            if (!isComplete)
            {
                return FailQuietly(path);
            }

            try
            {
                return shape.Create(values, template);
            }
            catch (TargetInvocationException refused) when (refused.InnerException is ArgumentException reason)
            {
                return Fail(node, path, reason.Message);
            }
        }

        private object Fail(ConfigNode node, string path, string message)
        {
            Errors.Add(new ConfigError(node.Location, path, message));
            return FailQuietly(path);
        }

        private object FailQuietly(string path)
        {
            failedPaths.Add(path);
            return Failed;
        }
    }

    internal static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    internal static string DidYouMean(string word, IEnumerable<string> candidates)
    {
        var near = Spelling.Nearest(word, candidates);
        return near.Count == 0 ? "" : $"; did you mean {string.Join(" or ", near.Select(n => $"'{n}'"))}?";
    }

    // The kinds that have all the keys that were written.
    private static string KindHint(UnionShape shape, ConfigMapping given)
    {
        var fitting = shape.Kinds.Where(kind => given.Entries.Length > 0 && given.Entries.All(e => kind.Shape.Find(e.Key) is not null)).Select(kind => kind.Kind).ToList();
        return fitting.Count == 0 ? "" : $" (these keys fit {string.Join(" or ", fitting)})";
    }

    private static string Need(OptionsShape shape) => shape switch
    {
        ScalarShape scalar => $"; {ScalarText.Need(scalar.Type)} is needed",
        EnumShape names => $"; one of {string.Join(", ", names.Names.Select(n => n.Name))} is needed",
        UnionShape union => $"; one of {string.Join(", ", union.Kinds.Select(k => k.Kind))} is needed",
        _ => "",
    };

    private static string Describe(ConfigNode node) => node switch
    {
        ConfigScalar { IsNull: true } => "nothing",
        ConfigScalar { IsQuoted: true } scalar => $"the text \"{scalar.Text}\"",
        ConfigScalar scalar => $"'{scalar.Text}'",
        ConfigSequence => "a list",
        _ => "a mapping",
    };
}
