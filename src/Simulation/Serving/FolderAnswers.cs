using System.Globalization;
using Federated.Client;
using Federated.Client.Analytics;
using Federated.Privacy.Analytics;
using Federated.Privacy.Randomness;

namespace Federated.Simulation.Serving;

/// <summary>A client's answers from its own folder.</summary>
/// <remarks>
/// A question for a number is answered with the mean of the CSV column of that name over all rows; one for a text with that column of a row drawn at random, or,
/// where there is no such column, with a word drawn from the folder's text files. Files with a header; the first file that has the column counts.
/// </remarks>
public sealed class FolderAnswers(string folder) : IAnalyst
{
    public AnalysisAnswer? Answer(AnalysisOptions question, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(question);
        var cells = Column(question.Question);
        using var random = new CryptographicRandom();
        if (!PrivateAnalysis.Create(question).AsksForNumber)
        {
            var texts = cells.Count > 0 ? cells : Words(cancellation);
            return texts.Count > 0 ? AnalysisAnswer.Of(texts[random.NextBelow(texts.Count)]) : throw Nothing(question.Question, "a text file");
        }

        var numbers = cells.Where(c => c.Length > 0 && c != "?").Select(c => double.TryParse(c, NumberStyles.Float, CultureInfo.InvariantCulture, out var v) ? v : double.NaN).Where(double.IsFinite).ToList();
        return numbers.Count > 0 ? AnalysisAnswer.Of(numbers.Average()) : throw Nothing(question.Question, "a number in it");
    }

    private ClientException Nothing(string column, string other) =>
        new($"{Path.GetFullPath(folder)} has no CSV file with a header and a column '{column}', nor {other}.");

    private List<string> Column(string name)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*.csv").Order(StringComparer.Ordinal))
        {
            using var lines = File.ReadLines(file).GetEnumerator();
            if (!lines.MoveNext() || Array.FindIndex(lines.Current.Split(','), c => c.Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) is var at && at < 0)
            {
                continue;
            }

            var cells = new List<string>();
            while (lines.MoveNext())
            {
                var row = lines.Current.Split(',');
                if (at < row.Length)
                {
                    cells.Add(row[at].Trim());
                }
            }

            return cells;
        }

        return [];
    }

    private List<string> Words(CancellationToken cancellation)
    {
        var words = new List<string>();
        foreach (var file in Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal))
        {
            foreach (var line in File.ReadLines(file))
            {
                cancellation.ThrowIfCancellationRequested();
                words.AddRange(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(w => w.Trim('.', ',', ';', ':', '!', '?', '"', '(', ')')).Where(w => w.Length > 0));
            }
        }

        return words;
    }
}
