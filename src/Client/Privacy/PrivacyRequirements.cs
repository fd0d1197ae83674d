using System.ComponentModel.DataAnnotations;

namespace Federated.Client.Privacy;

/// <summary>
/// What a client asks of a run before it trains for it or sends to it. A run whose statement, or whose assignment, is weaker is refused, with
/// the reason; nothing is sent then. What the client can compute itself it does not take from the coordinator.
/// </summary>
/// <remarks>
/// Computed here: ε₀ of the client's own randomiser, its composition over this client's own reports, amplification by shuffling from ε₀ and
/// the least batch, the ε of central noise from its multiplier and this client's participations, and the ε of a sum's noise from the members' shares and their grid. Taken on trust: that the coordinator
/// adds the central noise that it states, and that the shuffler keeps to the least batch; hence <see cref="Trust"/> and <see cref="Shufflers"/>.
/// </remarks>
public sealed record PrivacyRequirements
{
    /// <summary>Whom the run may ask the client to trust at most.</summary>
    /// <value>The default is <see cref="RequiredTrust.Central"/>: runs that guarantee nothing are refused.</value>
    public RequiredTrust Trust { get; init; } = RequiredTrust.Central;

    /// <summary>The largest ε that one run may cost this client; 0 for no limit.</summary>
    /// <value>The default is 0. Must be in [0, 1000].</value>
    [Range(0.0, 1000.0)]
    public double MaxEpsilon { get; init; }

    /// <summary>The largest δ of one run.</summary>
    /// <value>The default is 1e-5. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double MaxDelta { get; init; } = 1e-5;

    /// <summary>The largest ε₀ of one report: what is left when everybody else colludes; 0 for no limit.</summary>
    /// <value>The default is 0. Must be in [0, 40].</value>
    [Range(0.0, 40.0)]
    public double MaxReportEpsilon { get; init; }

    /// <summary>The largest ε that all runs together may cost this client, over its whole life, by its own ledger; 0 for no limit.</summary>
    /// <value>The default is 0. Must be in [0, 100000].</value>
    [Range(0.0, 100_000.0)]
    public double LifetimeEpsilon { get; init; }

    /// <summary>The largest δ of all runs together, where <see cref="LifetimeEpsilon"/> is set.</summary>
    /// <value>The default is 1e-4. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double LifetimeDelta { get; init; } = 1e-4;

    /// <summary>
    /// Keys of shufflers that the client trusts: as the run tells them (base64url), or <c>sha256:</c> and the digest of the key's bytes in hex.
    /// One at least of those that a report passes must be among them.
    /// </summary>
    /// <value>The default is empty: any.</value>
    public IReadOnlyList<string> Shufflers { get; init; } = [];

    /// <summary>Keys that reports may be sealed to for the coordinator, in the same form.</summary>
    /// <value>The default is empty: any.</value>
    public IReadOnlyList<string> Analyzers { get; init; } = [];

    /// <summary>Ids of coordinators that the client works for, as enrolment told them.</summary>
    /// <value>The default is empty: any.</value>
    public IReadOnlyList<string> Coordinators { get; init; } = [];

    /// <summary>What the client's data may be used for: <c>training</c>, or a kind of analysis (<c>mean</c>, <c>histogram</c>, …).</summary>
    /// <value>The default is empty: everything.</value>
    public IReadOnlyList<string> Analyses { get; init; } = [];

    /// <value>Whether scores on the client's own data, and how many examples it has, must stay on the device: they leave it without noise.</value>
    public bool KeepsScores => Trust != RequiredTrust.Anything;
}
