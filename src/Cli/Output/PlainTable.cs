namespace Federated.Cli.Output;

/// <summary>A table of text for pipes: columns aligned by spaces, two between them.</summary>
internal static class PlainTable
{
    /// <param name="words">Columns from the left that are text; the others are numbers, aligned to the right.</param>
    public static void Write(TextWriter output, IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows, int words = 2)
    {
        var widths = Enumerable.Range(0, header.Count).Select(i => rows.Select(row => row[i].Length).Append(header[i].Length).Max()).ToList();
        foreach (var row in rows.Prepend(header))
        {
            output.WriteLine(string.Join("  ", row.Select((cell, i) => i < words ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
        }
    }
}
