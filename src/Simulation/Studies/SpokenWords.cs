using Federated.Training;
using Federated.Training.Data.Loading;

namespace Federated.Simulation.Studies;

/// <summary>The words of the plays, by who speaks them.</summary>
/// <param name="Roles">Each speaking role's words in order, lower case, in the order of first speech.</param>
internal sealed record SpokenWords(IReadOnlyList<(string Role, string[] Words)> Roles)
{
    public const string Folder = "shakespeare";

    /// <exception cref="SimulationException">The text is not there.</exception>
    public static SpokenWords Load(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, Folder, "input.txt");
        if (!File.Exists(path))
        {
            throw new SimulationException(
                $"This study reads the words of plays, and {Path.GetFullPath(path)} is not there. Name the folder of data sets with --data-dir, or get the text with 'fed data get {Folder}'.");
        }

        try
        {
            return new([.. SpeechSource.Roles(path).Select(r => (r.Role, Split(r.Text))).Where(r => r.Item2.Length > 0)]);
        }
        catch (TrainingException unreadable)
        {
            throw new SimulationException(unreadable.Message);
        }
    }

    /// <summary>Roles in a number of parties of about the same number of words: a role belongs to one.</summary>
    public IReadOnlyList<string[]> Parties(int count)
    {
        var parties = Enumerable.Range(0, count).Select(_ => new List<string>()).ToArray();
        foreach (var (_, words) in Roles.OrderByDescending(r => r.Words.Length).ThenBy(r => r.Role, StringComparer.Ordinal))
        {
            parties.MinBy(p => p.Count)!.AddRange(words);
        }

        return [.. parties.Select(p => p.ToArray())];
    }

    private static string[] Split(string text)
    {
        var words = new List<string>();
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            var inside = i < text.Length && (char.IsAsciiLetter(text[i]) || (text[i] == '\'' && start >= 0 && i + 1 < text.Length && char.IsAsciiLetter(text[i + 1])));
            if (inside && start < 0)
            {
                start = i;
            }
            else if (!inside && start >= 0)
            {
                words.Add(text[start..i].ToLowerInvariant());
                start = -1;
            }
        }

        return [.. words];
    }
}
