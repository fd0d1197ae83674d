using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Training.LocalObjectives;

/// <summary>Which objective clients minimise, and its settings; <c>kind</c> names it in configuration (see <see cref="LocalObjectiveKinds"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(PlainObjectiveOptions), LocalObjectiveKinds.None)]
[JsonDerivedType(typeof(FedProxOptions), LocalObjectiveKinds.FedProx)]
[JsonDerivedType(typeof(ScaffoldOptions), LocalObjectiveKinds.Scaffold)]
[JsonDerivedType(typeof(FedDynOptions), LocalObjectiveKinds.FedDyn)]
[JsonDerivedType(typeof(FedSpeedOptions), LocalObjectiveKinds.FedSpeed)]
public abstract record LocalObjectiveOptions;

/// <summary>The client's own loss: no options.</summary>
public sealed record PlainObjectiveOptions : LocalObjectiveOptions;

/// <summary>FedProx.</summary>
public sealed record FedProxOptions : LocalObjectiveOptions
{
    /// <summary>μ, the strength of the pull towards the server's model. The step is unstable when η·μ ≥ 2.</summary>
    /// <value>The default is 0.01. Must be 0 or more; the paper tries 0.001, 0.01, 0.1, 0.5 and 1.</value>
    [Range(0.0, double.MaxValue)]
    public double Mu { get; init; } = 0.01;
}

/// <summary>SCAFFOLD.</summary>
public sealed record ScaffoldOptions : LocalObjectiveOptions
{
    /// <summary>How a client renews its control variate.</summary>
    /// <value>The default is displacement, the paper's option II.</value>
    public ScaffoldControl Control { get; init; } = ScaffoldControl.Displacement;
}

/// <summary>The two ways to renew SCAFFOLD's c_i.</summary>
public enum ScaffoldControl
{
    /// <summary>Option II: from the distance travelled; free.</summary>
    Displacement,

    /// <summary>Option I: the full local gradient at the server's model; one more pass over the client's data, less noise.</summary>
    FullGradient,
}

/// <summary>FedDyn.</summary>
public sealed record FedDynOptions : LocalObjectiveOptions
{
    /// <summary>α, the strength of the regulariser.</summary>
    /// <value>The default is 0.01, the authors' for CIFAR-10. Must be above 0: without it there is nothing to correct, choose the plain objective.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Alpha { get; init; } = 0.01;
}

/// <summary>FedSpeed.</summary>
public sealed record FedSpeedOptions : LocalObjectiveOptions
{
    /// <summary>λ, the strength of the correction (FedDyn's α).</summary>
    /// <value>The default is 0.1. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Lambda { get; init; } = 0.1;

    /// <summary>ρ, the length of the step uphill.</summary>
    /// <value>The default is 0.1. Must be 0 or more; 0 makes it FedDyn.</value>
    [Range(0.0, double.MaxValue)]
    public double Rho { get; init; } = 0.1;

    /// <summary>α, the share of the uphill gradient.</summary>
    /// <value>The default is 1, as in the authors' code. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Mix { get; init; } = 1.0;
}
