namespace Federated.Simulation.Configuration.Binding;

/// <summary>Guesses which word was meant.</summary>
public static class Spelling
{
    /// <summary>The candidates nearest to <paramref name="word"/>, best first; empty when none is near.</summary>
    /// <remarks>Damerau–Levenshtein distance (optimal string alignment) over letters and digits only, in lower case: <c>learning_rate</c> is <c>learningRate</c>.</remarks>
    public static IReadOnlyList<string> Nearest(string word, IEnumerable<string> candidates, int most = 3)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        var wanted = Letters(word);
        var ranked = candidates.Distinct()
            .Select(candidate => (candidate, distance: Distance(wanted, Letters(candidate)), letters: Letters(candidate)))
            .Where(c => c.distance <= Math.Max(1, Math.Min(wanted.Length, c.letters.Length) / 3) || Contains(wanted, c.letters))
            .OrderBy(c => c.distance).ThenBy(c => c.candidate, StringComparer.Ordinal).ToList();
        // Beside an exact hit (another case, another separator) nothing else can have been meant.
        return [.. ranked.TakeWhile(c => c.distance == 0 || ranked[0].distance > 0).Take(most).Select(c => c.candidate)];
    }

    /// <summary>Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.</summary>
    public static int Distance(string a, string b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        var before = new int[b.Length + 1];
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        var current = new int[b.Length + 1];
        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    current[j] = Math.Min(current[j], before[j - 2] + 1);
                }
            }

            (before, previous, current) = (previous, current, before);
        }

        return previous[b.Length];
    }

    // "rate" for learningRate, "numClients" for clients: a whole word of the other.
    private static bool Contains(string a, string b) => Math.Min(a.Length, b.Length) >= 4 && (a.Contains(b, StringComparison.Ordinal) || b.Contains(a, StringComparison.Ordinal));

    private static string Letters(string word) => string.Concat(word.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
