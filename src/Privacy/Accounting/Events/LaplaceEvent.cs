namespace Federated.Privacy.Accounting;

/// <summary>Laplace noise: scale <see cref="NoiseMultiplier"/> times the query's L1 sensitivity; pure ε = 1/<see cref="NoiseMultiplier"/> per run.</summary>
public sealed record LaplaceEvent(NeighbourRelation Relation, double NoiseMultiplier) : MechanismEvent(Relation)
{
    /// <value>b: noise scale over L1 sensitivity under this event's adjacency. Positive.</value>
    public double NoiseMultiplier { get; } = EventGuard.Positive(NoiseMultiplier, "A Laplace noise multiplier (scale over L1 sensitivity)");
}
