using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Audit;

/// <summary>How much an audit samples, and of what.</summary>
public sealed record AuditOptions
{
    /// <summary>Names of the mechanisms to audit; empty means all.</summary>
    /// <value>The default is empty.</value>
    public IReadOnlyList<string> Mechanisms { get; init; } = [];

    /// <summary>ε that the local mechanisms are built for.</summary>
    /// <value>The default is 1. Must be in [0.01, 10].</value>
    [Range(0.01, 10.0)]
    public double Epsilon { get; init; } = 1;

    /// <summary>Runs on each of two neighbouring inputs.</summary>
    /// <value>The default is 20000. Must be in [100, 100000000].</value>
    [Range(100, 100_000_000)]
    public int Samples { get; init; } = 20_000;

    /// <summary>Canaries of a one-run audit.</summary>
    /// <value>The default is 2000. Must be in [10, 10000000].</value>
    [Range(10, 10_000_000)]
    public int Canaries { get; init; } = 2000;

    /// <summary>Of all bounds together.</summary>
    /// <value>The default is 0.95. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Confidence { get; init; } = 0.95;

    /// <summary>Whether to audit the mechanisms with their noise taken away, their claims unchanged: every audit must then fail.</summary>
    /// <value>The default is false.</value>
    public bool RemoveNoise { get; init; }
}
