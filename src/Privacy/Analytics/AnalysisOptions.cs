using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Scalars;

namespace Federated.Privacy.Analytics;

/// <summary>A question that every client answers once, from data that stay with it; <c>kind</c> names it in configuration.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(MeanOptions), AnalysisKinds.Mean)]
[JsonDerivedType(typeof(HistogramOptions), AnalysisKinds.Histogram)]
[JsonDerivedType(typeof(QuantilesOptions), AnalysisKinds.Quantiles)]
[JsonDerivedType(typeof(HeavyHittersOptions), AnalysisKinds.HeavyHitters)]
public abstract record AnalysisOptions
{
    /// <summary>What is asked for, in words a client's owner understands; also the column that <c>fed client</c> answers from.</summary>
    /// <value>No default.</value>
    [Required]
    public required string Question { get; init; }

    /// <summary>ε₀ of a client's one report.</summary>
    /// <value>The default is 1. Must be in [0.001, 40].</value>
    [Range(0.001, 40.0)]
    public double Epsilon { get; init; } = 1;

    /// <summary>Probability with which an interval holds the true value.</summary>
    /// <value>The default is 0.95. Must be in [0.5, 1).</value>
    [Range(0.5, 1.0, MaximumIsExclusive = true)]
    public double Confidence { get; init; } = 0.95;
}

/// <summary>The mean of one number a client.</summary>
public sealed record MeanOptions : AnalysisOptions
{
    /// <summary>Smallest value; a client's smaller one counts as this.</summary>
    /// <value>No default.</value>
    public required double Lower { get; init; }

    /// <summary>Largest value; a client's larger one counts as this.</summary>
    /// <value>No default. Must be above the lower one.</value>
    public required double Upper { get; init; }

    /// <summary>The randomiser, one of <see cref="ScalarRandomizers"/>.</summary>
    /// <value>The default is <c>hybrid</c>.</value>
    [Required]
    public string Randomizer { get; init; } = ScalarRandomizers.Hybrid;
}

/// <summary>The share of clients in each bin, or of each category.</summary>
public sealed record HistogramOptions : AnalysisOptions
{
    /// <summary>Bounds between bins of a number, ascending; values outside of the outer ones count into the outer bins.</summary>
    /// <value>The default is none: then there must be categories.</value>
    public IReadOnlyList<double> Edges { get; init; } = [];

    /// <summary>Categories of a text; any other text counts as the last one.</summary>
    /// <value>The default is none: then there must be edges.</value>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>The frequency oracle, one of <see cref="FrequencyOracles"/>; <c>auto</c> takes the one of least error.</summary>
    /// <value>The default is <c>auto</c>.</value>
    [Required]
    public string Oracle { get; init; } = "auto";

    /// <summary>Take out reports that fake clients crafted, where they can be told (unary and hashed oracles).</summary>
    /// <value>The default is true.</value>
    public bool Defences { get; init; } = true;
}

/// <summary>Quantiles of one number a client.</summary>
public sealed record QuantilesOptions : AnalysisOptions
{
    /// <summary>Smallest value; a client's smaller one counts as this.</summary>
    /// <value>No default.</value>
    public required double Lower { get; init; }

    /// <summary>Largest value; a client's larger one counts as this.</summary>
    /// <value>No default. Must be above the lower one.</value>
    public required double Upper { get; init; }

    /// <summary>Which quantiles.</summary>
    /// <value>The default is 0.25, 0.5 and 0.75. At least one, each in (0, 1).</value>
    [Required]
    public IReadOnlyList<double> Probabilities { get; init; } = [0.25, 0.5, 0.75];

    /// <summary>h: the range is divided into 2^h bins, and clients into h groups. More bins resolve finer, with more noise.</summary>
    /// <value>The default is 6. Must be in [1, 16].</value>
    [Range(1, 16)]
    public int Levels { get; init; } = 6;
}

/// <summary>The most frequent words.</summary>
public sealed record HeavyHittersOptions : AnalysisOptions
{
    /// <summary>k, how many are looked for.</summary>
    /// <value>The default is 10. Must be in [1, 1000].</value>
    [Range(1, 1000)]
    public int Count { get; init; } = 10;

    /// <summary>Letters of a word that count; what is longer is cut.</summary>
    /// <value>The default is 8. Must be in [1, 12].</value>
    [Range(1, 12)]
    public int Letters { get; init; } = 8;

    /// <summary>η, bits by which prefixes are extended from group to group; 5 bits are a letter.</summary>
    /// <value>The default is 6. Must be in [1, 12].</value>
    [Range(1, 12)]
    public int StepBits { get; init; } = 6;

    /// <summary>How many times k prefixes are kept on the way: those of many rare words crowd out that of a frequent one.</summary>
    /// <value>The default is 3. Must be in [1, 16].</value>
    [Range(1, 16)]
    public int Breadth { get; init; } = 3;

    /// <summary>Take out reports that support suspiciously many prefixes together.</summary>
    /// <value>The default is true.</value>
    public bool Defences { get; init; } = true;
}

/// <summary>Names of the analyses, as they stand in a configuration, in an assignment, and in a client's policy.</summary>
public static class AnalysisKinds
{
    /// <summary>One number: its mean.</summary>
    public const string Mean = "mean";

    /// <summary>One number or category: shares of clients.</summary>
    public const string Histogram = "histogram";

    /// <summary>One number: its quantiles.</summary>
    public const string Quantiles = "quantiles";

    /// <summary>One word of any: the most frequent.</summary>
    public const string HeavyHitters = "heavyHitters";

    public static IReadOnlyList<string> All { get; } = [Mean, Histogram, Quantiles, HeavyHitters];
}
