using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Federated.Training.Data.Loading;

/// <summary>A source in LEAF's JSON format.</summary>
public sealed record LeafSourceOptions : DataSourceOptions
{
    /// <value>What the set is called. The default is <c>leaf</c>.</value>
    public string Name { get; init; } = LeafSource.Name;

    /// <value>The training files, or one folder that holds them, relative to the data folder. At least one is required.</value>
    [MinLength(1)]
    public IReadOnlyList<string> Train { get; init; } = [];

    /// <value>The test files, or one folder that holds them. At least one is required.</value>
    [MinLength(1)]
    public IReadOnlyList<string> Test { get; init; } = [];

    /// <value>The shape of one example. The default is flat: as many features as an example has numbers.</value>
    public IReadOnlyList<int>? ExampleShape { get; init; }

    /// <value>The number of classes. The default is one more than the largest label, or the alphabet's size where labels are characters. Must be at least 2.</value>
    [Range(2, int.MaxValue)]
    public int? Classes { get; init; }
}

/// <summary>
/// Reads LEAF's JSON: "users", "num_samples", and "user_data" with "x" and "y" per user; a user is a client. An example is a number, an
/// array of numbers of any depth (flattened), or a text (one symbol of <see cref="TextAlphabet"/> per character).
/// </summary>
/// <remarks>
/// Caldas et al., "LEAF: A Benchmark for Federated Settings", 2018, https://arxiv.org/abs/1812.01097; https://github.com/TalwalkarLab/leaf.
/// Files are streamed; memory is that of the numbers kept. Users that occur in the test files only belong to the pooled test set.
/// </remarks>
public static class LeafSource
{
    public const string Name = "leaf";

    public static FederatedData Load(LeafSourceOptions options, string dataDirectory)
    {
        var train = Read(options, options.Train, "train", dataDirectory);
        var test = Read(options, options.Test, "test", dataDirectory);
        if (train.Width != test.Width)
        {
            throw new TrainingException($"Source '{options.Name}': training examples have {train.Width} features, test examples {test.Width}; they must agree.");
        }

        var shape = options.ExampleShape is { Count: > 0 } given ? given.ToImmutableArray() : [train.Width];
        var classes = options.Classes
            ?? (train.LabelsAreText ? TextAlphabet.Size : Math.Max(2, Math.Max(train.LargestLabel, test.LargestLabel) + 1));
        return new FederatedData(
            train.ToDataSet(options.Name, shape, classes),
            test.ToDataSet(options.Name, shape, classes),
            [.. train.Users.Select(user => new ClientShard(user.Name, user.Indices, test.IndicesOf(user.Name)))]);
    }

    private static Split Read(LeafSourceOptions options, IReadOnlyList<string> entries, string which, string dataDirectory)
    {
        var split = new Split();
        foreach (var entry in entries)
        {
            var path = Path.Combine(dataDirectory, entry);
            IEnumerable<string> files = Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.json").Order(StringComparer.Ordinal) : [path];
            foreach (var file in files)
            {
                split.Add(file);
            }
        }

        return split.Users.Count > 0
            ? split
            : throw new TrainingException($"Source '{options.Name}': '{which}' ({string.Join(", ", entries)}) holds no user; at least one is needed.");
    }

    /// <summary>The training or the test files, being read.</summary>
    private sealed class Split
    {
        private readonly List<float> features = [];
        private readonly List<int> labels = [];
        private readonly Dictionary<string, int> users = new(StringComparer.Ordinal);

        public List<(string Name, int[] Indices)> Users { get; } = [];

        /// <summary>Features of an example; −1 before the first.</summary>
        public int Width { get; private set; } = -1;

        public int LargestLabel { get; private set; }

        public bool LabelsAreText { get; private set; }

        public int[] IndicesOf(string user) => users.TryGetValue(user, out var at) ? Users[at].Indices : [];

        public DataSet ToDataSet(string name, ImmutableArray<int> shape, int classes) => new(name, [.. features], [.. labels], shape, classes);

        public void Add(string path)
        {
            using var json = new JsonTokens(path);
            var listed = new List<string>();
            var counts = new List<double>();
            var before = Users.Count;
            json.Expect(JsonTokenType.StartObject, "an object with users, num_samples and user_data");
            while (json.Next() == JsonTokenType.PropertyName)
            {
                switch (json.Text("a property"))
                {
                    case "users":
                        ReadList(json, () => listed.Add(json.Text("a user's name")));
                        break;
                    case "num_samples":
                        ReadList(json, () => counts.Add(json.Number("a user's number of samples")));
                        break;
                    case "user_data":
                        ReadUsers(json);
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }

            if (json.Read())
            {
                throw json.Error("the end of the file", json.Type.ToString());
            }

            CheckLists(path, listed, counts, before);
        }

        private void CheckLists(string path, List<string> listed, List<double> counts, int before)
        {
            var found = Users.Skip(before).ToDictionary(user => user.Name, user => user.Indices.Length);
            if (listed.Count != found.Count || counts.Count != listed.Count)
            {
                throw new TrainingException($"{path}: {listed.Count} users are listed and {counts.Count} num_samples; user_data holds {found.Count}. They must agree.");
            }

            for (var i = 0; i < listed.Count; i++)
            {
                if (!found.TryGetValue(listed[i], out var count) || count != counts[i])
                {
                    throw new TrainingException($"{path}: user '{listed[i]}' is listed with {counts[i]} samples; user_data has {(found.ContainsKey(listed[i]) ? count : "none")}.");
                }
            }
        }

        private static void ReadList(JsonTokens json, Action read)
        {
            json.Expect(JsonTokenType.StartArray, "a list");
            while (json.Next() != JsonTokenType.EndArray)
            {
                read();
            }
        }

        private void ReadUsers(JsonTokens json)
        {
            json.Expect(JsonTokenType.StartObject, "an object of users");
            while (json.Next() == JsonTokenType.PropertyName)
            {
                var name = json.Text("a user's name");
                if (!users.TryAdd(name, Users.Count))
                {
                    throw json.Error("a user that has not occurred before", $"'{name}' again");
                }

                var (firstLabel, firstExample) = (labels.Count, Width < 0 ? 0 : features.Count / Width);
                json.Expect(JsonTokenType.StartObject, $"an object with x and y of user '{name}'");
                while (json.Next() == JsonTokenType.PropertyName)
                {
                    switch (json.Text("x or y"))
                    {
                        case "x":
                            ReadList(json, () => ReadExample(json, name));
                            break;
                        case "y":
                            ReadList(json, () => ReadLabel(json, name));
                            break;
                        default:
                            json.Skip();
                            break;
                    }
                }

                var (examples, ys) = ((Width < 0 ? 0 : features.Count / Width) - firstExample, labels.Count - firstLabel);
                if (examples != ys || examples == 0)
                {
                    throw json.Error($"as many x as y, at least one, of user '{name}'", $"{examples} x and {ys} y");
                }

                Users.Add((name, [.. Enumerable.Range(firstLabel, ys)]));
            }
        }

        private void ReadExample(JsonTokens json, string user)
        {
            var before = features.Count;
            switch (json.Type)
            {
                case JsonTokenType.String:
                    foreach (var c in json.Text("a text"))
                    {
                        features.Add(TextAlphabet.Encode(c));
                    }

                    break;
                case JsonTokenType.StartArray:
                    for (var depth = 1; depth > 0;)
                    {
                        switch (json.Next())
                        {
                            case JsonTokenType.StartArray:
                                depth++;
                                break;
                            case JsonTokenType.EndArray:
                                depth--;
                                break;
                            default:
                                features.Add(Feature(json, $"a number in an example of user '{user}'"));
                                break;
                        }
                    }

                    break;
                default:
                    features.Add(Feature(json, $"a number, a list of numbers or a text as an example of user '{user}'"));
                    break;
            }

            var width = features.Count - before;
            Width = Width < 0 ? width : Width;
            if (width != Width || width == 0)
            {
                throw json.Error($"an example of {Math.Max(1, Width)} features, as the first has, of user '{user}'", $"one of {width}");
            }
        }

        private static float Feature(JsonTokens json, string what)
        {
            var number = (float)json.Number(what);
            return float.IsFinite(number) ? number : throw json.Error($"{what}, of at most {float.MaxValue:E0},", "a larger one");
        }

        private void ReadLabel(JsonTokens json, string user)
        {
            int label;
            if (json.Type == JsonTokenType.String)
            {
                var text = json.Text("a label");
                label = text.Length == 1 ? TextAlphabet.Encode(text[0]) : throw json.Error($"a label of one character of user '{user}'", $"'{text}'");
                LabelsAreText = true;
            }
            else
            {
                var number = json.Number($"a label of user '{user}'");
                label = number >= 0 && number < int.MaxValue && number == Math.Floor(number)
                    ? (int)number
                    : throw json.Error($"a label that is a whole number from 0 of user '{user}'", number.ToString("R"));
            }

            LargestLabel = Math.Max(LargestLabel, label);
            labels.Add(label);
        }
    }
}
