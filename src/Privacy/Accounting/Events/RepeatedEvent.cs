using System.Collections.Immutable;

namespace Federated.Privacy.Accounting;

/// <summary>The same event several times, each run possibly depending on the results of the earlier ones.</summary>
public sealed record RepeatedEvent(PrivacyEvent Inner, long Count) : PrivacyEvent(Inner.Relation)
{
    /// <value>T: number of runs. Zero or more; zero releases nothing.</value>
    public long Count { get; } = Count >= 0 ? Count : throw new PrivacyException($"An event cannot happen {Count} times: use zero or more.");

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions => Count == 0 ? [] : Inner.Assumptions;
}

/// <summary>Several events on the same units, one after the other, each possibly depending on the results of the earlier ones.</summary>
public sealed record ComposedEvent : PrivacyEvent
{
    /// <exception cref="PrivacyException">There is no event, or two events have unlike relations.</exception>
    public ComposedEvent(params IReadOnlyList<PrivacyEvent> events)
        : base(Require(events).Relation) => Events = [.. events];

    /// <value>The composed events, in the order given.</value>
    public ImmutableArray<PrivacyEvent> Events { get; }

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions => Events.SelectMany(e => e.Assumptions).Distinct();

    /// <inheritdoc/>
    public bool Equals(ComposedEvent? other) => other is not null && Events.SequenceEqual(other.Events);

    /// <inheritdoc/>
    public override int GetHashCode() => Events.Aggregate(Events.Length, HashCode.Combine);

    private static PrivacyEvent Require(IReadOnlyList<PrivacyEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count == 0)
        {
            throw new PrivacyException("There is no event to compose: pass at least one.");
        }

        foreach (var e in events)
        {
            NeighbourRelation.RequireSame(events[0].Relation, e.Relation);
        }

        return events[0];
    }
}
