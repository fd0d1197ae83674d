using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>The same for everyone (times the speed spread, if any).</summary>
public sealed record ConstantResponsiveness : ResponsivenessOptions
{
    /// <value>The default is 0.01. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Seconds { get; init; } = 0.01;

    private protected override double Draw(SeededRandom random) => Seconds;
}

/// <summary>Normal, cut at a minimum.</summary>
public sealed record NormalResponsiveness : ResponsivenessOptions
{
    /// <value>The default is 0.01. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Mean { get; init; } = 0.01;

    /// <value>The default is 0.003 (0.3 of the mean, as FedCompass). Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Deviation { get; init; } = 0.003;

    /// <summary>Draws below it are raised to it.</summary>
    /// <value>The default is 0.001. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Minimum { get; init; } = 0.001;

    private protected override double Draw(SeededRandom random) => Math.Max(Minimum, random.NextNormal(Mean, Deviation));
}

/// <summary>Lognormal around a median: the heavy tail of phones in the field.</summary>
public sealed record LogNormalResponsiveness : ResponsivenessOptions
{
    /// <value>The default is 0.01. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Median { get; init; } = 0.01;

    /// <summary>σ of the logarithm.</summary>
    /// <value>The default is 1.2. Must be in [0, 5].</value>
    [Range(0.0, 5.0)]
    public double Sigma { get; init; } = 1.2;

    private protected override double Draw(SeededRandom random) => Median * random.NextLogNormal(0, Sigma);
}

/// <summary>Exponential.</summary>
public sealed record ExponentialResponsiveness : ResponsivenessOptions
{
    /// <value>The default is 0.01. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Mean { get; init; } = 0.01;

    private protected override double Draw(SeededRandom random) => random.NextExponential(Mean);
}

/// <summary>minimum + |N(0, deviation²)|; with a minimum of 0 the mean is deviation·√(2/π).</summary>
public sealed record HalfNormalResponsiveness : ResponsivenessOptions
{
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Minimum { get; init; }

    /// <value>The default is 0.01. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Deviation { get; init; } = 0.01;

    private protected override double Draw(SeededRandom random) => Minimum + random.NextHalfNormal(Deviation);
}

/// <summary>Uniform between two bounds.</summary>
public sealed record UniformResponsiveness : ResponsivenessOptions, IValidatableObject
{
    /// <value>The default is 0.005. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Minimum { get; init; } = 0.005;

    /// <value>The default is 0.015. Must be at least the minimum.</value>
    [Range(0, double.MaxValue)]
    public double Maximum { get; init; } = 0.015;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Maximum < Minimum)
        {
            yield return new ValidationResult($"maximum {Maximum} is below minimum {Minimum}; raise it.", [nameof(Maximum)]);
        }
    }

    private protected override double Draw(SeededRandom random) => Minimum + ((Maximum - Minimum) * random.NextDouble());
}

/// <summary>Pareto: minimum·U^(−1/shape), cut at a maximum.</summary>
public sealed record ParetoResponsiveness : ResponsivenessOptions
{
    /// <value>The default is 0.005. Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double Minimum { get; init; } = 0.005;

    /// <summary>α; the smaller, the heavier the tail. The mean is infinite (before the cut) at 1 and below.</summary>
    /// <value>The default is 1.5. Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double Shape { get; init; } = 1.5;

    /// <summary>Draws above it are cut to it; 0 for no cut.</summary>
    /// <value>The default is 60. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double Maximum { get; init; } = 60;

    private protected override double Draw(SeededRandom random)
    {
        var seconds = Minimum * Math.Pow(random.NextPositive(), -1 / Shape);
        return Maximum > 0 ? Math.Min(seconds, Maximum) : seconds;
    }
}
