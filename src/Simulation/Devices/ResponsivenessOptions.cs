using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>How long clients compute: the third knob of client heterogeneity. The kinds give a distribution of seconds.</summary>
/// <remarks>
/// Clock models of FLSim (normal, half-normal, uniform, exponential), FedCompass (constant, normal, exponential, table), Papaya (lognormal
/// with σ of 1.2 to 1.5 as a stand-in for its two orders of magnitude) and Plato (Pareto).
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ConstantResponsiveness), "constant")]
[JsonDerivedType(typeof(NormalResponsiveness), "normal")]
[JsonDerivedType(typeof(LogNormalResponsiveness), "lognormal")]
[JsonDerivedType(typeof(ExponentialResponsiveness), "exponential")]
[JsonDerivedType(typeof(HalfNormalResponsiveness), "half-normal")]
[JsonDerivedType(typeof(UniformResponsiveness), "uniform")]
[JsonDerivedType(typeof(ParetoResponsiveness), "pareto")]
[JsonDerivedType(typeof(GroupsResponsiveness), "groups")]
[JsonDerivedType(typeof(TableResponsiveness), "table")]
public abstract record ResponsivenessOptions
{
    /// <summary>What takes the drawn seconds: each local step, or the whole task whatever its steps.</summary>
    /// <value>The default is <see cref="DurationUnit.Step"/>.</value>
    public DurationUnit Unit { get; init; }

    /// <summary>Whether a client draws once for all its tasks, or anew for each.</summary>
    /// <value>The default is <see cref="DrawScope.Client"/>.</value>
    public DrawScope Per { get; init; }

    /// <summary>σ of the logarithm of a factor that every client draws once and that multiplies all its seconds; 0 for none.</summary>
    /// <value>The default is 0. Must be in [0, 5].</value>
    [Range(0.0, 5.0)]
    public double SpeedSpread { get; init; }

    /// <summary>Seconds for the client's task number <paramref name="task"/> (from 0); a pure function of its arguments.</summary>
    internal virtual double SecondsFor(ulong seed, int client, int task)
    {
        var seconds = Draw(Per == DrawScope.Client
            ? SeededRandom.Derive(seed, "duration", client)
            : SeededRandom.Derive(seed, "duration", client, task));
        return Spread(seed, client, seconds);
    }

    private protected double Spread(ulong seed, int client, double seconds) =>
        SpeedSpread == 0 ? seconds : seconds * SeededRandom.Derive(seed, "speed", client).NextLogNormal(0, SpeedSpread);

    private protected abstract double Draw(SeededRandom random);
}

/// <summary>What a duration is the duration of.</summary>
public enum DurationUnit
{
    Step,
    Task,
}

/// <summary>How often a client draws.</summary>
public enum DrawScope
{
    Client,
    Task,
}
