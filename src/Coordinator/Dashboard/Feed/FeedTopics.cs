namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>What a viewer asks to be told as it happens; a page asks for what it shows.</summary>
[Flags]
public enum FeedTopics
{
    None = 0,

    /// <summary>Evaluations and versions.</summary>
    Curves = 1,

    /// <summary>Every assignment that ended.</summary>
    Updates = 2,

    /// <summary>Groups and rounds of the scheduler.</summary>
    Groups = 4,

    /// <summary>Sentences about what happened.</summary>
    Events = 8,

    /// <summary>Assignments in flight.</summary>
    Tasks = 16,

    /// <summary>Counts of staleness and of outcomes.</summary>
    Tallies = 32,

    All = Curves | Updates | Groups | Events | Tasks | Tallies,
}
