namespace Federated.Training.Data.Loading.Csv;

/// <summary>The values of one feature column, before encoding.</summary>
/// <param name="Options">The column's schema.</param>
/// <param name="Missing">What means "missing" in this column.</param>
/// <param name="Numbers">For a numeric column: one number per row, NaN where missing.</param>
/// <param name="Texts">For a categorical column: one canonical text per row, null where missing.</param>
internal sealed record CsvValues(CsvColumn Options, MissingMarkers Missing, List<double> Numbers, List<string?> Texts);

/// <summary>Rows of one or more files with the same columns, parsed by their schema.</summary>
internal sealed class CsvTable
{
    private readonly CsvSourceOptions options;
    private readonly MissingMarkers missing;
    private readonly List<(string Text, string Path, int Line)> labels = [];

    public CsvTable(CsvSourceOptions options)
    {
        this.options = options;
        missing = new MissingMarkers(options.Missing);
        if (options.Label.Column.Length == 0)
        {
            throw new TrainingException($"Source '{options.Name}': label.column is missing; it names the column to predict.");
        }

        if (options.Columns.Count == 0 && !options.Header)
        {
            throw new TrainingException($"Source '{options.Name}': 'columns' is empty and the files have no header; list the columns in the files' order.");
        }
    }

    /// <summary>The feature columns, in the schema's order.</summary>
    public List<CsvValues> Columns { get; private set; } = [];

    /// <summary>The client of each row.</summary>
    public List<string> Clients { get; } = [];

    public int Rows => labels.Count;

    /// <summary>Appends all rows of a file.</summary>
    public void Add(string path, string client)
    {
        using var reader = new CsvReader(path, options.Delimiter[0]);
        if (!reader.Read())
        {
            throw new TrainingException($"{path}: the file is empty; at least one row is needed.");
        }

        var names = Names(path, reader);
        var labelAt = Require(path, names, options.Label.Column, "the label");
        var clientAt = options.ClientColumn is null ? -1 : Require(path, names, options.ClientColumn, "the client");
        var columnAt = Columns.ConvertAll(column => Require(path, names, column.Options.Name, "a feature"));
        var before = Rows;
        if (!options.Header || reader.Read())
        {
            do
            {
                for (var i = 0; i < columnAt.Count; i++)
                {
                    Append(Columns[i], reader.Fields[columnAt[i]], path, reader.Line);
                }

                var label = CsvNumber.Canonical(reader.Fields[labelAt]);
                labels.Add(missing.Contains(label)
                    ? throw new TrainingException($"{path}, line {reader.Line}: the label (column '{options.Label.Column}') is missing; every row needs one.")
                    : (label, path, reader.Line));
                Clients.Add(clientAt < 0 ? client : reader.Fields[clientAt]);
            }
            while (reader.Read());
        }

        if (Rows == before)
        {
            throw new TrainingException($"{path}: there is a header but no row; at least one is needed.");
        }
    }

    /// <summary>The class of each row and the number of classes.</summary>
    public (int[] Labels, int Classes) EncodeLabels()
    {
        var label = options.Label;
        if (label.Above is { } threshold)
        {
            return ([.. labels.Select(row => Number(row.Text, row.Path, row.Line, label.Column) > threshold ? 1 : 0)], 2);
        }

        IReadOnlyList<string> values = label.Values is { Count: > 0 } listed
            ? [.. listed.Select(CsvNumber.Canonical)]
            : CsvNumber.Sorted(labels.Select(row => row.Text));
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var value in values)
        {
            if (!index.TryAdd(value, index.Count))
            {
                throw new TrainingException($"Source '{options.Name}': label.values lists '{value}' twice.");
            }
        }

        if (values.Count < 2)
        {
            throw new TrainingException($"Source '{options.Name}': the label '{label.Column}' has {values.Count} value; at least 2 classes are needed.");
        }

        return ([.. labels.Select(row => index.TryGetValue(row.Text, out var c)
            ? c
            : throw new TrainingException(
                $"{row.Path}, line {row.Line}: label '{row.Text}' (column '{label.Column}') is out of range; it must be one of {string.Join(", ", values)}."))], values.Count);
    }

    /// <summary>Where row <paramref name="row"/> came from, for messages.</summary>
    public string Origin(int row) => $"{labels[row].Path}, line {labels[row].Line}";

    private string[] Names(string path, CsvReader reader)
    {
        string[] names = options.Header ? [.. reader.Fields] : [.. options.Columns.Select(column => column.Name)];
        if (!options.Header && names.Length != reader.Fields.Count)
        {
            throw new TrainingException($"{path}, line {reader.Line}: the schema has {names.Length} columns; the file has {reader.Fields.Count}.");
        }

        if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new TrainingException($"{(options.Header ? path : $"Source '{options.Name}'")}: column '{twice.Key}' occurs twice; names must differ.");
        }

        if (options.Columns.Count > 0 && names.FirstOrDefault(name => !IsSpecial(name) && options.Columns.All(column => column.Name != name)) is { } unknown)
        {
            throw new TrainingException($"{path}: column '{unknown}' is not in the schema; add it to 'columns', with kind: ignore if it is not to be used.");
        }

        if (Columns.Count == 0)
        {
            var columns = options.Columns.Count > 0 ? options.Columns : [.. names.Select(name => new CsvColumn { Name = name })];
            Columns = [.. columns
                .Where(column => !IsSpecial(column.Name) && column.Kind != CsvColumnKind.Ignore)
                .Select(column => new CsvValues(column, new MissingMarkers(options.Missing.Concat(column.Missing)), [], []))];
        }

        return Columns.Count > 0 ? names : throw new TrainingException($"Source '{options.Name}': no column is left as a feature.");
    }

    private bool IsSpecial(string name) => name == options.Label.Column || name == options.ClientColumn;

    private static int Require(string path, string[] names, string name, string what)
    {
        var at = Array.IndexOf(names, name);
        return at >= 0 ? at : throw new TrainingException($"{path}: column '{name}' ({what}) is not there; the columns are {string.Join(", ", names)}.");
    }

    private static void Append(CsvValues column, string text, string path, int line)
    {
        var absent = column.Missing.Contains(text);
        if (absent && column.Options.Imputation == Imputation.Error)
        {
            throw new TrainingException($"{path}, line {line}: column '{column.Options.Name}' is missing ('{text}'); the schema allows none (imputation: error).");
        }

        if (column.Options.Kind == CsvColumnKind.Numeric)
        {
            column.Numbers.Add(absent ? double.NaN : Number(text, path, line, column.Options.Name));
        }
        else
        {
            column.Texts.Add(absent ? null : CsvNumber.Canonical(text));
        }
    }

    private static double Number(string text, string path, int line, string column) =>
        CsvNumber.TryParse(text, out var number) && double.IsFinite(number)
            ? number
            : throw new TrainingException($"{path}, line {line}: column '{column}' needs a finite number; there is '{text}'. List it under 'missing' if it means that.");
}
