using System.Globalization;

namespace Federated.Training.Data.Loading.Csv;

/// <summary>Numbers in tables, always in the invariant culture.</summary>
internal static class CsvNumber
{
    public static bool TryParse(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);

    /// <summary>1.0, +1 and 1 are one category, and so are 0 and -0.</summary>
    public static string Canonical(string text) =>
        TryParse(text, out var number) && double.IsFinite(number) ? (number + 0.0).ToString("R", CultureInfo.InvariantCulture) : text;

    /// <summary>Distinct texts: as numbers where all are, else in ordinal order.</summary>
    public static IReadOnlyList<string> Sorted(IEnumerable<string> texts)
    {
        var distinct = texts.Distinct().ToArray();
        return Array.TrueForAll(distinct, text => TryParse(text, out _))
            ? [.. distinct.OrderBy(text => TryParse(text, out var number) ? number : 0)]
            : [.. distinct.Order(StringComparer.Ordinal)];
    }
}

/// <summary>Texts that mean "missing"; a marker that is a number matches it however it is written (0, 0.0).</summary>
internal sealed class MissingMarkers
{
    private readonly HashSet<string> texts;
    private readonly double[] numbers;

    public MissingMarkers(IEnumerable<string> markers)
    {
        texts = new HashSet<string>(markers, StringComparer.OrdinalIgnoreCase);
        numbers = [.. texts.Select(text => CsvNumber.TryParse(text, out var number) ? number : double.NaN).Where(number => !double.IsNaN(number))];
    }

    public bool Contains(string text) =>
        texts.Contains(text) || (numbers.Length > 0 && CsvNumber.TryParse(text, out var number) && Array.IndexOf(numbers, number) >= 0);
}
