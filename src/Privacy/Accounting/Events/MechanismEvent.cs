namespace Federated.Privacy.Accounting;

/// <summary>An event that is one run of one mechanism on the data of all units present, without sampling or composition.</summary>
/// <param name="Relation">Unit and adjacency under which the mechanism's parameters are stated.</param>
public abstract record MechanismEvent(NeighbourRelation Relation) : PrivacyEvent(Relation)
{
    /// <summary>Who is trusted with data before this mechanism's noise is on it.</summary>
    public virtual TrustModel Trust => TrustModel.Central;
}
