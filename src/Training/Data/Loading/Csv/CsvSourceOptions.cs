using System.ComponentModel.DataAnnotations;

namespace Federated.Training.Data.Loading.Csv;

/// <summary>Which rows the statistics of imputation and standardisation are taken from; always training rows only.</summary>
public enum CsvFit
{
    /// <summary>All clients' rows: one encoding, which in a real federation takes a round of secure sums to agree on.</summary>
    Pooled,

    /// <summary>Each client's own rows; a column of which a client has no value at all takes the pooled statistics.</summary>
    PerClient,
}

/// <summary>A file of a table.</summary>
public sealed record CsvFile
{
    /// <value>The path, relative to the data folder unless it is absolute. Required.</value>
    [Required]
    public string Path { get; init; } = "";

    /// <value>The client that holds the file's rows. The default is the file's name without extension.</value>
    public string? Client { get; init; }
}

/// <summary>How a column becomes class labels 0, 1, ….</summary>
public sealed record CsvLabel
{
    /// <value>The column's name. Required.</value>
    [Required]
    public string Column { get; init; } = "";

    /// <value>Makes two classes of a number: 1 where it is above this, else 0. The default is none.</value>
    public double? Above { get; init; }

    /// <value>The values in the order of their classes; another value is an error. The default is the values that occur, sorted.</value>
    public IReadOnlyList<string>? Values { get; init; }
}

/// <summary>A source of one or more delimited text files with the same columns.</summary>
public sealed record CsvSourceOptions : DataSourceOptions
{
    /// <value>What the set is called. The default is <c>csv</c>.</value>
    public string Name { get; init; } = CsvSource.Name;

    /// <value>The files. At least one is required; with the natural partition each is a client, unless <see cref="ClientColumn"/> is given.</value>
    [MinLength(1)]
    public IReadOnlyList<CsvFile> Files { get; init; } = [];

    /// <value>Files that hold the test rows. The default is none: rows of <see cref="Files"/> are held out.</value>
    public IReadOnlyList<CsvFile> TestFiles { get; init; } = [];

    /// <value>The share of each client's rows that is held out for testing, label by label, where there are no test files. The default is 0.2. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double TestShare { get; init; } = 0.2;

    /// <value>Holds out the last rows instead of a share, for sets with a customary split. The default is none. Must be at least 1.</value>
    [Range(1, int.MaxValue)]
    public int? TestLast { get; init; }

    /// <value>Whether the first record of each file names the columns. The default is false: the schema's columns are those of the file, in order.</value>
    public bool Header { get; init; }

    /// <value>The character between fields. The default is a comma. Must be one character.</value>
    [StringLength(1, MinimumLength = 1)]
    public string Delimiter { get; init; } = ",";

    /// <value>Texts that mean "missing" in every column. The default is <c>?</c>, empty and <c>NaN</c>.</value>
    public IReadOnlyList<string> Missing { get; init; } = ["?", "", "NaN"];

    /// <value>The columns, label included (its kind is not looked at). The default, with a header only, is every column as a number.</value>
    public IReadOnlyList<CsvColumn> Columns { get; init; } = [];

    /// <value>Which column is the label, and how it becomes a class. Required.</value>
    [Required]
    public CsvLabel Label { get; init; } = new();

    /// <value>The column that says which client holds the row, for the natural partition. The default is none: the file does.</value>
    public string? ClientColumn { get; init; }

    /// <value>Which rows the statistics of imputation and standardisation come from. The default is <c>pooled</c>.</value>
    public CsvFit Fit { get; init; }
}
