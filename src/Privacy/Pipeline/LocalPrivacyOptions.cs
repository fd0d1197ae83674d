using System.ComponentModel.DataAnnotations;
using Federated.Privacy.Local.Vectors;

namespace Federated.Privacy.Pipeline;

/// <summary>What the local and the shuffle policies have in common: a randomiser on each client.</summary>
public abstract record RandomizedReportOptions : PrivacyOptions
{
    /// <summary>The unit-vector randomiser, one of <see cref="UnitVectorRandomizers"/>.</summary>
    /// <value>The default is <c>privunitg</c>.</value>
    [Required]
    public string Randomizer { get; init; } = UnitVectorRandomizers.PrivUnitG;

    /// <summary>ε₀ of one report.</summary>
    /// <value>The default is 4. Must be in [0.001, 40].</value>
    [Range(0.001, 40.0)]
    public double ReportEpsilon { get; init; } = 4;

    /// <summary>C, the L2 bound of an update; clients clip to it before they randomise.</summary>
    /// <value>The default is 1. Must be in [1e-9, 1e9].</value>
    [Range(1e-9, 1e9)]
    public double ClipNorm { get; init; } = 1;

    /// <summary>The most often that one client may report; 0 for no limit but the budget's.</summary>
    /// <value>The default is 0. Must be in [0, 1000000].</value>
    [Range(0, 1_000_000)]
    public int MaxParticipations { get; init; }

    /// <summary>The largest ε that any client may spend over the run at <see cref="Delta"/>; 0 for no limit.</summary>
    /// <value>The default is 0. Must be in [0, 1000].</value>
    [Range(0.0, 1000.0)]
    public double Epsilon { get; init; }

    /// <summary>δ of the composed guarantee.</summary>
    /// <value>The default is 1e-6. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Delta { get; init; } = 1e-6;
}

/// <summary>Each client randomises its own update: nobody is trusted, and the price is noise that only many clients average away.</summary>
public sealed record LocalPrivacyOptions : RandomizedReportOptions;
