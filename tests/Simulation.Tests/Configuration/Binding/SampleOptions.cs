using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Simulation.Tests.Configuration.Binding;

/// <summary>Options with one of everything that the binder understands; no product type, so that these tests outlive changes of those.</summary>
public sealed record SampleOptions : IValidatableObject
{
    /// <summary>What people call it.</summary>
    [Required]
    public string Name { get; init; } = "sample";

    public ulong Seed { get; init; } = 1;

    public bool Verbose { get; init; }

    /// <summary>Step size of the local solver.</summary>
    /// <value>The default is 0.1. Must be above 0 and at most 10.</value>
    [Range(0.0, 10.0, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 0.1;

    [Range(1, int.MaxValue)]
    public int BatchSize { get; init; } = 32;

    public double Deadline { get; init; } = double.PositiveInfinity;

    public float Momentum { get; init; } = 0.9f;

    public int? Limit { get; init; }

    public string? Note { get; init; }

    public SampleMode Mode { get; init; }

    [Range(1, 4096)]
    [MinLength(1)]
    public ImmutableArray<int> Hidden { get; init; } = [200, 100];

    public SampleShape Shape { get; init; } = new SampleCircle();

    public IReadOnlyList<SampleShape> Shapes { get; init; } = [];

    public ImmutableSortedDictionary<string, double> Table { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    public SampleStop Stop { get; init; } = new() { Versions = 100 };

    [JsonIgnore]
    public int Derived { get; init; } = 7;

    public int Twice => BatchSize * 2;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Limit < BatchSize)
        {
            yield return new ValidationResult($"A limit of {Limit} is below the batch size of {BatchSize}.", [nameof(BatchSize), nameof(Limit)]);
        }
    }
}

public enum SampleMode
{
    /// <summary>The quick way.</summary>
    Fast,

    /// <summary>The way that is right to the last bit.</summary>
    BitExact,
}

public sealed record SampleStop
{
    public int Versions { get; init; }

    [Range(0, 1)]
    public double TargetAccuracy { get; init; }
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SampleCircle), "circle")]
[JsonDerivedType(typeof(SampleRectangle), "rectangle")]
[JsonDerivedType(typeof(SamplePolygon), "polygon")]
public abstract record SampleShape
{
    public string Colour { get; init; } = "black";
}

public sealed record SampleCircle : SampleShape
{
    [Range(0.0, double.MaxValue)]
    public double Radius { get; init; } = 1;
}

public sealed record SampleRectangle : SampleShape
{
    public required double Width { get; init; }

    [Required]
    public string Label { get; init; } = null!;

    public double Height { get; init; } = 2;
}

/// <summary>Given by its constructor, as small records are.</summary>
public sealed record SamplePolygon(int Corners, double Side = 1) : SampleShape;
