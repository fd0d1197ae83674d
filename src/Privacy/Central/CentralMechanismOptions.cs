using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Privacy.Central;

/// <summary>How a trusted server adds noise; <c>kind</c> names it in configuration.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(DpFedAvgOptions), CentralMechanisms.DpFedAvg)]
[JsonDerivedType(typeof(DpFtrlOptions), CentralMechanisms.DpFtrl)]
public abstract record CentralMechanismOptions
{
    /// <summary>C, the L2 bound of one client's whole update.</summary>
    /// <value>The default is 1. Must be in [1e-9, 1e9].</value>
    [Range(1e-9, 1e9)]
    public double ClipNorm { get; init; } = 1;

    /// <summary>
    /// z (of one release) or σ (of one whole tree or matrix): noise standard deviation over the sensitivity. 0 takes the smallest that keeps the
    /// policy's ε.
    /// </summary>
    /// <value>The default is 0. Must be in [0, 1e6].</value>
    [Range(0.0, 1e6)]
    public double NoiseMultiplier { get; init; }

    /// <summary>qN or m: the public number that sums are divided by, whatever arrives. 0 takes the run's planned updates a release.</summary>
    /// <value>The default is 0. Must be in [0, 1e12].</value>
    [Range(0.0, 1e12)]
    public double ExpectedCohort { get; init; }
}

/// <summary>Names of the central mechanisms, as they stand in a configuration.</summary>
public static class CentralMechanisms
{
    /// <summary>Independent noise. Choose it with random sampling, or where clients take part once or twice.</summary>
    public const string DpFedAvg = "dp-fedavg";

    /// <summary>Correlated noise. Choose it for everything else: least noise on the model without any sampling.</summary>
    public const string DpFtrl = "dp-ftrl";

    public static IReadOnlyList<string> All { get; } = [DpFedAvg, DpFtrl];
}
