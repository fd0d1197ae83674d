using System.Globalization;

namespace Federated.Privacy.Tests;

/// <summary>
/// The reference CSV files, found by walking up to <c>shared/reference/vectors</c>. Where they are absent the tests that read them pass
/// without checking and say so; the key numbers are inline in other tests.
/// </summary>
internal static class ReferenceVectors
{
    private static readonly string? Folder = Find();

    /// <summary>Rows by column name; null when the folder is absent.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, string>>? Read(string file)
    {
        if (Folder is null)
        {
            Console.WriteLine($"Skipped: {file} is not here (looked for ../shared/reference/vectors above {AppContext.BaseDirectory}).");
            return null;
        }

        var lines = File.ReadAllLines(Path.Combine(Folder, file)).Where(l => l.Length > 0 && l[0] != '#').ToArray();
        var header = lines[0].Split(',');
        return [.. lines[1..].Select(line => (IReadOnlyDictionary<string, string>)header.Zip(line.Split(',')).ToDictionary(p => p.First, p => p.Second))];
    }

    public static double Number(this IReadOnlyDictionary<string, string> row, string column) =>
        double.Parse(row[column], NumberStyles.Float, CultureInfo.InvariantCulture);

    public static int Integer(this IReadOnlyDictionary<string, string> row, string column) =>
        int.Parse(row[column], CultureInfo.InvariantCulture);

    public static bool Has(this IReadOnlyDictionary<string, string> row, string column) => row[column].Length > 0;

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "reference", "vectors");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}
