using System.ComponentModel.DataAnnotations;
using System.Text;

namespace Federated.Training.Data.Loading;

/// <summary>A source of plays: the next character is predicted from those before it, and a client is a speaking role.</summary>
public sealed record SpeechSourceOptions : DataSourceOptions
{
    /// <value>The text file, relative to the data folder unless it is absolute. Required.</value>
    [Required]
    public string Path { get; init; } = "";

    /// <value>Characters that a prediction is made from. The default is 80. Must be in 1..4096.</value>
    [Range(1, 4096)]
    public int SequenceLength { get; init; } = 80;

    /// <value>Characters from the start of one example to that of the next. The default is 10; 1 makes an example of every character. Must be in 1..1000000.</value>
    [Range(1, 1_000_000)]
    public int Stride { get; init; } = 10;

    /// <value>The share of each role's text, from its end, that is held out. The default is 0.2. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double TestShare { get; init; } = 0.2;
}

/// <summary>Splits plays by speaking role and cuts each role's text into examples.</summary>
/// <remarks>
/// After the Shakespeare set of McMahan et al., AISTATS 2017, https://arxiv.org/abs/1602.05629, section 3, and LEAF (Caldas et al. 2018,
/// https://arxiv.org/abs/1812.01097). A speech is a block of lines, ended by a blank line, whose first line is a name and a colon; a
/// block that begins otherwise goes on with the speech before. A role's text is its speeches in order; its last part is held out, and no
/// example reaches across. An example is a window of symbols (see <see cref="TextAlphabet"/>), its label the symbol after it.
/// Deviation: roles are told apart by name only, because the text has no mark between plays; a role too short for one training example
/// is left out.
/// </remarks>
public static class SpeechSource
{
    public const string Name = "speeches";

    public static FederatedData Load(SpeechSourceOptions options, string name, string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, options.Path);
        var train = new Examples(options);
        var test = new Examples(options);
        var clients = new List<ClientShard>();
        foreach (var (role, text) in Roles(path))
        {
            var cut = text.Length - (int)(options.TestShare * text.Length);
            var trained = train.Add(text.AsSpan(0, cut));
            if (trained.Length > 0)
            {
                clients.Add(new ClientShard(role, trained, test.Add(text.AsSpan(cut))));
            }
        }

        if (clients.Count == 0 || test.Count == 0)
        {
            throw new TrainingException(
                $"{path}: no role has text for a training and a test example of {options.SequenceLength} characters; lower sequenceLength or raise testShare.");
        }

        return new FederatedData(train.ToDataSet(name), test.ToDataSet(name), clients);
    }

    /// <summary>Each role's text, in the order of first speech.</summary>
    /// <param name="path">The text file.</param>
    public static IEnumerable<(string Role, string Text)> Roles(string path)
    {
        var texts = new Dictionary<string, StringBuilder>(StringComparer.Ordinal);
        var order = new List<string>();
        StringBuilder? current = null;
        var atStart = true;
        var number = 0;
        using var reader = new StreamReader(DataFiles.OpenRead(path), Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                atStart = true;
                continue;
            }

            if (atStart && line.EndsWith(':'))
            {
                var role = line[..^1].Trim();
                if (!texts.TryGetValue(role, out current))
                {
                    texts.Add(role, current = new StringBuilder());
                    order.Add(role);
                }
            }
            else if (current is null)
            {
                throw new TrainingException($"{path}, line {number}: the text must begin with a line 'NAME:' that says who speaks; there is '{line[..Math.Min(line.Length, 40)]}'.");
            }
            else
            {
                current.Append(line).Append('\n');
            }

            atStart = false;
        }

        return order.Select(role => (role, texts[role].ToString()));
    }

    private sealed class Examples(SpeechSourceOptions options)
    {
        private readonly List<float> features = [];
        private readonly List<int> labels = [];

        public int Count => labels.Count;

        /// <summary>Adds the windows of a text and returns their indices.</summary>
        public int[] Add(ReadOnlySpan<char> text)
        {
            var first = labels.Count;
            for (var start = 0; start + options.SequenceLength < text.Length; start += options.Stride)
            {
                foreach (var c in text.Slice(start, options.SequenceLength))
                {
                    features.Add(TextAlphabet.Encode(c));
                }

                labels.Add(TextAlphabet.Encode(text[start + options.SequenceLength]));
            }

            return [.. Enumerable.Range(first, labels.Count - first)];
        }

        public DataSet ToDataSet(string name) => new(name, [.. features], [.. labels], [options.SequenceLength], TextAlphabet.Size);
    }
}
