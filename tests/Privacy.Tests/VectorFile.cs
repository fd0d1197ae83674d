using System.Globalization;

namespace Federated.Privacy.Tests;

/// <summary>
/// A reference file of <c>shared/reference/vectors</c>, looked for upwards from the test binaries. A clone without it skips the tests
/// that read it and still checks the numbers that are written in the tests.
/// </summary>
internal static class VectorFile
{
    private static readonly string? Directory = Find();

    /// <summary>Whether rows that take seconds each are run too: set FED_ALL_VECTORS=1.</summary>
    public static bool All => Environment.GetEnvironmentVariable("FED_ALL_VECTORS") == "1";

    public static bool Exists(string name) => Directory is not null && File.Exists(Path.Combine(Directory, name + ".csv"));

    /// <param name="name">Without its ending.</param>
    /// <param name="quoted">Whether cells may be quoted, because they hold commas.</param>
    public static IReadOnlyList<Row> Read(string name, bool quoted = false)
    {
        var lines = File.ReadAllLines(Path.Combine(Directory!, name + ".csv")).Where(line => line.Length > 0 && line[0] != '#').ToArray();
        var header = lines[0].Split(',');
        return [.. lines.Skip(1).Select(line => new Row(name, header, quoted ? Unquote(line) : line.Split(',')))];
    }

    /// <summary>For tests that also check numbers written in them: no rows in a checkout without the file.</summary>
    public static IReadOnlyList<Row> ReadIfThere(string name) => Exists(name) ? Read(name) : [];

    private static string[] Unquote(string line)
    {
        var parts = line.Split('"');
        return [.. string.Concat(parts.Select((part, i) => i % 2 == 0 ? part.Replace(',', '\n') : part)).Split('\n')];
    }

    private static string? Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var candidate = Path.Combine(directory.FullName, "shared", "reference", "vectors");
            if (System.IO.Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }

    internal sealed class Row(string file, string[] header, string[] cells)
    {
        public string this[string column] => cells[Array.IndexOf(header, column) is >= 0 and var index
            ? index
            : throw new KeyNotFoundException($"{file}.csv has no column {column}.")];

        /// <summary>The number in the column; NaN where the cell is empty.</summary>
        public double Number(string column) =>
            this[column] is "" or "nan" ? double.NaN : double.Parse(this[column], CultureInfo.InvariantCulture);

        public bool Has(string column) => this[column].Length > 0;

        public int Integer(string column) => int.Parse(this[column], CultureInfo.InvariantCulture);

        public override string ToString() => $"{file}: {string.Join(',', cells.Take(6))}";
    }
}

/// <summary>A fact that reads a reference file, skipped with a message where the file is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class VectorFactAttribute : FactAttribute
{
    public VectorFactAttribute(string file)
    {
        if (!VectorFile.Exists(file))
        {
            Skip = $"../shared/reference/vectors/{file}.csv is not present in this checkout; the numbers written in the tests were checked.";
        }
    }
}
