namespace Federated.Privacy.Pipeline;

/// <summary>
/// What a policy allows in advance, for whoever gives out work: a host that keeps to it takes no step that the policy would refuse. The
/// policy checks again when an update is admitted and when a release is made.
/// </summary>
public sealed record ParticipationLimits
{
    /// <summary>Nothing is limited.</summary>
    public static ParticipationLimits None { get; } = new();

    /// <value>Releases that the whole run may make; 0 for any number.</value>
    public int Releases { get; init; }

    /// <value>Participations of one client, between two restarts where there are restarts; 0 for any number.</value>
    public int Cap { get; init; }

    /// <value>Least number of releases from one participation of a client to its next; 1 for at most one in a release, 0 for no limit.</value>
    public int Separation { get; init; }

    /// <value>Releases after which participations are counted afresh; 0 for never.</value>
    public int RestartEvery { get; init; }

    /// <value>
    /// True when work given counts, whatever becomes of it: a report that came too late has been seen. False when only accepted updates count.
    /// </value>
    public bool CountsAssignments { get; init; }

    /// <value>Whose limits they are, to end a reason with: "all that the budget of ε = 4 at δ = 1e-06 allows". Empty where there is none.</value>
    public string Because { get; init; } = "";

    /// <summary>Whether a client that may not take part now may later.</summary>
    public bool CanRest => Separation > 0 || RestartEvery > 0;
}
