using System.ComponentModel.DataAnnotations;
using Federated.Privacy.SecureAggregation;

namespace Federated.Privacy.Pipeline;

/// <summary>What the policies have in common under which the server sees only sums of updates (secure aggregation).</summary>
public abstract record SecureAggregationOptions : PrivacyOptions
{
    /// <summary>C, the L2 bound of an update; clients clip to it.</summary>
    /// <value>The default is 1. Must be in [1e-9, 1e9].</value>
    [Range(1e-9, 1e9)]
    public double ClipNorm { get; init; } = 1;

    /// <summary>b: sums are modulo 2^b, and a coordinate takes b bits on the wire.</summary>
    /// <value>The default is 32. Must be in [8, 32].</value>
    [Range(8, 32)]
    public int Bits { get; init; } = 32;

    /// <summary>γ: share of a session's members that may collude with the server.</summary>
    /// <value>The default is 0.05. Must be in [0, 0.5).</value>
    [Range(0.0, 0.5, MaximumIsExclusive = true)]
    public double Corrupted { get; init; } = 0.05;

    /// <summary>δ: share of members that may drop out during a session without its failing, as far as the graph is concerned.</summary>
    /// <value>The default is 0.3. Must be in [0, 0.5).</value>
    [Range(0.0, 0.5, MaximumIsExclusive = true)]
    public double Dropout { get; init; } = 0.3;

    /// <summary>Whether the server may tell members different stories about who dropped out.</summary>
    /// <value>The default is <c>semi-malicious</c>: it may.</value>
    public AggregationServer Server { get; init; } = AggregationServer.SemiMalicious;

    /// <summary>Seconds that members have for one step of a session.</summary>
    /// <value>The default is 60. Must be in [0.1, 86400].</value>
    [Range(0.1, 86400.0)]
    public double PhaseSeconds { get; init; } = 60;

    /// <summary>Seconds from the first finished update until the session begins with those who are there.</summary>
    /// <value>The default is 600. Must be in [0.1, 604800].</value>
    [Range(0.1, 604800.0)]
    public double GatherSeconds { get; init; } = 600;
}

/// <summary>
/// The server sees the weighted mean of a session's updates, exact in fixed point, and no single one. No (ε, δ) is guaranteed: a mean of few members, or
/// means of sets that differ in one, tell of each.
/// </summary>
public sealed record SecureSumOptions : SecureAggregationOptions
{
    /// <summary>s: grid steps in one unit of the update; 0 for the finest grid on which a sum cannot wrap around.</summary>
    /// <value>The default is 0. Must be in [0, 1e12].</value>
    [Range(0.0, 1e12)]
    public double Scale { get; init; }

    /// <summary>The number of examples above which clients count as having this many; needed where weights follow examples.</summary>
    /// <value>The default is 0: weights do not follow examples. Must be in [0, 1e12].</value>
    [Range(0.0, 1e12)]
    public double LargestExamples { get; init; }
}

/// <summary>
/// The server sees sums of a session's updates with noise of which every member added its share: differential privacy without trust in the server, at the
/// noise of a trusted one. What breaks it is a session with fewer honest members than are counted with.
/// </summary>
public sealed record DistributedPrivacyOptions : SecureAggregationOptions
{
    /// <summary>z: noise of the fewest honest members together over C; 0 to derive it from <see cref="Epsilon"/> and <see cref="MaxParticipations"/> (or the planned versions).</summary>
    /// <value>The default is 0. Must be in [0, 1e6].</value>
    [Range(0.0, 1e6)]
    public double NoiseMultiplier { get; init; }

    /// <summary>The most often that one client may take part; 0 for no limit but the budget's.</summary>
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
