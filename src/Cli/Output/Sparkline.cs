namespace Federated.Cli.Output;

/// <summary>A curve in one line of text.</summary>
internal static class Sparkline
{
    private const string Levels = "▁▂▃▄▅▆▇█";

    /// <summary>The last values, each as a block between the lowest and the highest of them; a NaN is a gap.</summary>
    public static string Of(IReadOnlyList<double> values, int width)
    {
        // Longer than the line: the last value of each of equally many pieces.
        var shown = Enumerable.Range(0, Math.Min(width, values.Count)).Select(i => values[(int)((long)(i + 1) * values.Count / Math.Min(width, values.Count)) - 1]).ToList();
        var finite = shown.Where(double.IsFinite).ToList();
        if (finite.Count == 0)
        {
            return "";
        }

        var (low, high) = (finite.Min(), finite.Max());
        return string.Concat(shown.Select(value => !double.IsFinite(value) ? ' '
            : high == low ? Levels[0]
            : Levels[(int)Math.Min(Levels.Length - 1, (value - low) / (high - low) * Levels.Length)]));
    }
}
