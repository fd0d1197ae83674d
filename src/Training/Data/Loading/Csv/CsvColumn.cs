using System.ComponentModel.DataAnnotations;

namespace Federated.Training.Data.Loading.Csv;

/// <summary>What a column of a table becomes.</summary>
public enum CsvColumnKind
{
    /// <summary>One feature: the number.</summary>
    Numeric,

    /// <summary>One feature per category: 1 for the row's category, 0 for the others.</summary>
    Categorical,

    /// <summary>Nothing.</summary>
    Ignore,
}

/// <summary>What stands in for a missing value; statistics are those of the training rows that have one.</summary>
public enum Imputation
{
    /// <summary>The mean for numbers, the most frequent category for categories.</summary>
    Default,

    /// <summary>A missing value is an error.</summary>
    Error,

    /// <summary>The mean; numbers only.</summary>
    Mean,

    /// <summary>The median; numbers only.</summary>
    Median,

    /// <summary>The most frequent value, the smaller where two are equally frequent.</summary>
    MostFrequent,

    /// <summary>The number 0, or no category at all (all of the column's features 0).</summary>
    Zero,
}

/// <summary>One column of a table.</summary>
public sealed record CsvColumn
{
    /// <value>The column's name: as in the header or, where there is none, any. Required.</value>
    [Required]
    public string Name { get; init; } = "";

    /// <value>What the column becomes. The default is <c>numeric</c>.</value>
    public CsvColumnKind Kind { get; init; }

    /// <value>The categories, in the order of their features; a value that is not among them is an error. The default is those of the training rows, sorted.</value>
    public IReadOnlyList<string>? Values { get; init; }

    /// <value>Texts that mean "missing" in this column, besides those of the whole table. The default is none.</value>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <value>What stands in for a missing value. The default is the mean for numbers and the most frequent category for categories.</value>
    public Imputation Imputation { get; init; }

    /// <value>Whether a further feature says that the value was missing (1) or not (0). The default is false.</value>
    public bool MissingIndicator { get; init; }

    /// <value>Whether numbers are shifted and scaled to mean 0 and standard deviation 1 over the training rows. The default is true.</value>
    public bool Standardize { get; init; } = true;
}
