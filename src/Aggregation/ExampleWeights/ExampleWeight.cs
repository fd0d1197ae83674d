using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Aggregation.ExampleWeights;

/// <summary>A weight by number of examples and its setting, as <c>kind</c> names it in configuration.</summary>
/// <remarks>The four functions of FLSim (https://github.com/facebookresearch/FLSim); the absolute size matters only to aggregates that are not
/// divided by the sum of weights.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(EqualExampleWeight), ExampleWeightNames.Equal)]
[JsonDerivedType(typeof(LinearExampleWeight), ExampleWeightNames.Examples)]
[JsonDerivedType(typeof(SquareRootExampleWeight), ExampleWeightNames.SquareRoot)]
[JsonDerivedType(typeof(LogarithmicExampleWeight), ExampleWeightNames.Logarithm)]
public abstract record ExampleWeight : IExampleWeight
{
    /// <summary>The number of examples whose updates have weight 1: weights are divided by ω of it. Null leaves the functions as they are.</summary>
    /// <value>The default is null. Must be positive.</value>
    [Range(0.0, 1e18, MinimumIsExclusive = true)]
    public double? UnitAt { get; init; }

    [JsonIgnore]
    public abstract string Name { get; }

    public double Of(double examples)
    {
        if (!(examples >= 0 && double.IsFinite(examples)))
        {
            throw new ArgumentOutOfRangeException(nameof(examples), examples, "A number of examples must be 0 or more and finite.");
        }

        return UnitAt is { } unit ? Raw(examples) / Raw(unit) : Raw(examples);
    }

    protected abstract double Raw(double examples);
}

/// <summary>ω(n) = 1.</summary>
public sealed record EqualExampleWeight : ExampleWeight
{
    public override string Name => ExampleWeightNames.Equal;

    protected override double Raw(double examples) => 1;
}

/// <summary>ω(n) = n.</summary>
public sealed record LinearExampleWeight : ExampleWeight
{
    public override string Name => ExampleWeightNames.Examples;

    protected override double Raw(double examples) => examples;
}

/// <summary>ω(n) = √n.</summary>
public sealed record SquareRootExampleWeight : ExampleWeight
{
    public override string Name => ExampleWeightNames.SquareRoot;

    protected override double Raw(double examples) => Math.Sqrt(examples);
}

/// <summary>ω(n) = log₁₀(1 + n).</summary>
public sealed record LogarithmicExampleWeight : ExampleWeight
{
    public override string Name => ExampleWeightNames.Logarithm;

    protected override double Raw(double examples) => Math.Log10(1 + examples);
}
