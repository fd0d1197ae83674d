namespace Federated.Privacy.Accounting;

/// <summary>
/// One thing that happened to private data, as an accountant sees it: which mechanism, at which noise, on whose behalf. Immutable and
/// compared by value; an accountant turns an event into a <see cref="PrivacyGuarantee"/>.
/// </summary>
/// <remarks>
/// Every event carries its neighbour relation, and building a composition of unlike relations throws, so that a sensitivity stated
/// under one adjacency is never summed with one stated under another.
/// </remarks>
/// <param name="Relation">Unit and adjacency under which the event's parameters are stated.</param>
public abstract record PrivacyEvent(NeighbourRelation Relation)
{
    /// <summary>What must be true of the running system for this event to describe it; one sentence each.</summary>
    public virtual IEnumerable<string> Assumptions => [];

    /// <summary>This event, <paramref name="count"/> times in a row (adaptively: later ones may depend on earlier results).</summary>
    public PrivacyEvent Repeated(long count) => count == 1 ? this : new RepeatedEvent(this, count);
}
