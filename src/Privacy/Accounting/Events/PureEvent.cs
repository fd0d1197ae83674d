namespace Federated.Privacy.Accounting;

/// <summary>Any mechanism that is ε-differentially private with δ = 0 and of which nothing else is known.</summary>
/// <remarks>Dominated by binary randomised response (Kairouz, Oh, Viswanath, "The Composition Theorem for Differential Privacy", 2015).</remarks>
public sealed record PureEvent(NeighbourRelation Relation, double Epsilon) : MechanismEvent(Relation)
{
    /// <value>ε of one run. Positive.</value>
    public double Epsilon { get; } = EventGuard.Positive(Epsilon, "A pure ε");
}

/// <summary>Any mechanism that is (ε, δ)-differentially private and of which nothing else is known.</summary>
public sealed record ApproximateEvent(NeighbourRelation Relation, double Epsilon, double Delta) : MechanismEvent(Relation)
{
    /// <value>ε of one run. Zero or more.</value>
    public double Epsilon { get; } = Epsilon >= 0 && double.IsFinite(Epsilon)
        ? Epsilon
        : throw new PrivacyException($"ε must be finite and zero or more, but is {Epsilon}.");

    /// <value>δ of one run. In [0, 1].</value>
    public double Delta { get; } = EventGuard.Probability(Delta, "δ");
}
