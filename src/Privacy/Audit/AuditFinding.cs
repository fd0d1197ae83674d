namespace Federated.Privacy.Audit;

/// <summary>What an audit found. Its number is a lower bound of the true ε: evidence against a claim, never a claim.</summary>
/// <param name="Mechanism">What was audited.</param>
/// <param name="Method">How: <c>exact</c>, <c>distinguishing</c> or <c>one-run</c>.</param>
/// <param name="ClaimedEpsilon">The ε that is claimed.</param>
/// <param name="Delta">At this δ.</param>
/// <param name="EpsilonLowerBound">ε is at least this, with the confidence stated (with certainty, for exact audits).</param>
/// <param name="Confidence">In (0, 1]; 1 for exact audits.</param>
/// <param name="Samples">Runs, or canaries, that it rests on.</param>
/// <param name="Detail">A sentence: attack, counts.</param>
public sealed record AuditFinding(
    string Mechanism, string Method, double ClaimedEpsilon, double Delta, double EpsilonLowerBound, double Confidence, long Samples, string Detail)
{
    /// <summary>What rounding of an exact enumeration may add.</summary>
    private const double Rounding = 1e-9;

    /// <summary>False when the evidence contradicts the claim.</summary>
    public bool Passed => EpsilonLowerBound <= ClaimedEpsilon + Rounding;
}
