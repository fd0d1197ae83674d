namespace Federated.Privacy.Accounting;

/// <summary>
/// What ε would be if participation had been independent Poisson sampling at its average rate. For comparison only: it is no guarantee, and
/// deliberately not a <see cref="PrivacyGuarantee"/>.
/// </summary>
/// <param name="Epsilon">The number that the sampling formula gives.</param>
/// <param name="Delta">δ it was computed for.</param>
/// <param name="AverageProbability">q: average share of clients per release.</param>
/// <param name="MissingPremise">What would have to be true, and is not enforced.</param>
public sealed record NaiveSamplingEstimate(double Epsilon, double Delta, double AverageProbability, string MissingPremise);
