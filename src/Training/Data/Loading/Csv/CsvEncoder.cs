namespace Federated.Training.Data.Loading.Csv;

/// <summary>
/// Turns columns into features: standardised numbers, one feature per category, an indicator of missing values where asked. Categories
/// are the schema's, or those of all training rows; statistics are those of the rows that the encoder is fitted on.
/// </summary>
/// <remarks>
/// Mean and standard deviation (divisor n) are over the values that are there, so that the mean, standing in for a missing value, becomes
/// 0. A column without spread keeps the scale 1. Cost: O(rows · columns), the median and the most frequent value O(rows·log rows).
/// </remarks>
internal sealed class CsvEncoder
{
    private readonly ColumnEncoding[] columns;

    private CsvEncoder(ColumnEncoding[] columns)
    {
        this.columns = columns;
        Width = columns.Sum(column => column.Width);
    }

    /// <summary>Features of an encoded row.</summary>
    public int Width { get; }

    /// <summary>Fits categories and statistics on training rows.</summary>
    public static CsvEncoder Fit(string source, CsvTable table, IReadOnlyList<int> rows) =>
        new([.. table.Columns.Select(column => ColumnEncoding.Fit(source, column, rows, Categories(table, column, rows), pooled: null))]);

    /// <summary>An encoder with the same features whose statistics are those of <paramref name="rows"/>; a column that has no value there keeps ours.</summary>
    public CsvEncoder Refit(string source, CsvTable table, IReadOnlyList<int> rows) =>
        new([.. table.Columns.Select((column, i) => ColumnEncoding.Fit(source, column, rows, columns[i].Categories, columns[i]))]);

    /// <summary>Writes the features of one row (Width values; overwritten).</summary>
    public void Encode(CsvTable table, int row, Span<float> features)
    {
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i].Encode(table, table.Columns[i], row, features[..columns[i].Width]);
            features = features[columns[i].Width..];
        }
    }

    private static string[] Categories(CsvTable table, CsvValues column, IReadOnlyList<int> rows)
    {
        if (column.Options.Kind != CsvColumnKind.Categorical)
        {
            return [];
        }

        if (column.Options.Values is not { Count: > 0 } values)
        {
            return [.. CsvNumber.Sorted(rows.Select(row => column.Texts[row]).OfType<string>())];
        }

        string[] categories = [.. values.Select(CsvNumber.Canonical)];
        for (var row = 0; row < table.Rows; row++)
        {
            if (column.Texts[row] is { } text && !categories.Contains(text, StringComparer.Ordinal))
            {
                throw new TrainingException(
                    $"{table.Origin(row)}: column '{column.Options.Name}' has the category '{text}'; the schema's are {string.Join(", ", categories)}.");
            }
        }

        return categories;
    }

    /// <summary>One column's part of the encoding.</summary>
    /// <param name="Fill">What stands in for a missing number, before standardisation.</param>
    /// <param name="FillCategory">The category that stands in for a missing one; −1 for none.</param>
    private sealed record ColumnEncoding(CsvColumn Options, string[] Categories, double Mean, double Deviation, double Fill, int FillCategory)
    {
        private bool IsNumeric => Options.Kind == CsvColumnKind.Numeric;

        public int Width => (IsNumeric ? 1 : Categories.Length) + (Options.MissingIndicator ? 1 : 0);

        public static ColumnEncoding Fit(string source, CsvValues column, IReadOnlyList<int> rows, string[] categories, ColumnEncoding? pooled)
        {
            var options = column.Options;
            if (options.Kind == CsvColumnKind.Categorical)
            {
                var counts = new int[categories.Length];
                foreach (var row in rows)
                {
                    if (column.Texts[row] is { } text)
                    {
                        counts[Array.IndexOf(categories, text)]++;
                    }
                }

                var fill = options.Imputation switch
                {
                    Imputation.Zero or Imputation.Error => -1,
                    Imputation.Default or Imputation.MostFrequent => Array.IndexOf(counts, counts.Append(0).Max()),
                    _ => throw new TrainingException($"Source '{source}': column '{options.Name}' is categorical, so imputation must be most-frequent, zero or error; it is {options.Imputation}."),
                };
                return counts.Any(n => n > 0)
                    ? new ColumnEncoding(options, categories, 0, 1, 0, fill)
                    : pooled ?? throw NoValue(source, options);
            }

            var values = rows.Select(row => column.Numbers[row]).Where(value => !double.IsNaN(value)).ToArray();
            if (values.Length == 0)
            {
                return pooled ?? throw NoValue(source, options);
            }

            var mean = values.Average();
            var deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
            return new ColumnEncoding(
                options,
                categories,
                options.Standardize ? mean : 0,
                options.Standardize && deviation > 0 ? deviation : 1,
                Filling(options.Imputation, values, mean),
                -1);
        }

        public void Encode(CsvTable table, CsvValues column, int row, Span<float> features)
        {
            features.Clear();
            bool missing;
            if (IsNumeric)
            {
                missing = double.IsNaN(column.Numbers[row]);
                features[0] = (float)(((missing ? Fill : column.Numbers[row]) - Mean) / Deviation);
            }
            else
            {
                // A category that only the held-out rows know has no feature: all stay 0.
                missing = column.Texts[row] is null;
                var category = missing ? FillCategory : Array.IndexOf(Categories, column.Texts[row]);
                if (category >= 0)
                {
                    features[category] = 1;
                }
            }

            if (Options.MissingIndicator)
            {
                features[^1] = missing ? 1 : 0;
            }
        }

        private static double Filling(Imputation imputation, double[] values, double mean) => imputation switch
        {
            Imputation.Default or Imputation.Mean => mean,
            Imputation.Zero or Imputation.Error => 0,
            Imputation.Median => Median(values),
            Imputation.MostFrequent => values.GroupBy(value => value).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).First().Key,
            _ => throw new ArgumentOutOfRangeException(nameof(imputation), imputation, "Unknown imputation."),
        };

        private static double Median(double[] values)
        {
            var sorted = values.Order().ToArray();
            return 0.5 * (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]);
        }

        private static TrainingException NoValue(string source, CsvColumn options) => new(
            $"Source '{source}': column '{options.Name}' has no value in any training row, so nothing can be fitted; set kind: ignore.");
    }
}
