namespace Federated.Privacy.Accounting;

/// <summary>k-ary randomised response: the true category with probability e^ε/(e^ε + k − 1), else a uniform other one.</summary>
public sealed record RandomizedResponseEvent(NeighbourRelation Relation, double Epsilon, int Categories) : MechanismEvent(Relation)
{
    /// <value>ε: log-ratio of the two probabilities. Positive.</value>
    public double Epsilon { get; } = EventGuard.Positive(Epsilon, "A randomised response's ε");

    /// <value>k: number of categories. At least 2.</value>
    public int Categories { get; } = Categories >= 2
        ? Categories
        : throw new PrivacyException($"Randomised response needs at least 2 categories, but got {Categories}.");

    /// <inheritdoc/>
    public override TrustModel Trust => TrustModel.Local;
}
