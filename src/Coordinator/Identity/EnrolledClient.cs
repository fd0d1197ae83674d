namespace Federated.Coordinator.Identity;

/// <summary>A client as the identity store knows it.</summary>
/// <param name="Client">Its id.</param>
/// <param name="Name">What people call it.</param>
/// <param name="EnrolledAt">Unix seconds.</param>
/// <param name="RevokedAt">Unix seconds; null while it is good.</param>
/// <param name="HasKey">False for a client that only has a certificate.</param>
public sealed record EnrolledClient(string Client, string Name, double EnrolledAt, double? RevokedAt, bool HasKey)
{
    /// <summary>What it did, where that is kept beside its credentials; null where it is not.</summary>
    public ClientActivity? Activity { get; init; }
}

/// <summary>What a client did, as of the last note of it.</summary>
/// <param name="LastSeen">Unix seconds.</param>
/// <param name="SecondsPerStep">From an assignment to its update, over its local steps; 0 before the first.</param>
public sealed record ClientActivity(double LastSeen, double SecondsPerStep, IReadOnlyList<ClientPart> Runs);

/// <param name="Number">The client's number in the run.</param>
/// <param name="Assignments">That it was given.</param>
/// <param name="Updates">Of it that counted.</param>
public sealed record ClientPart(string Run, int Number, long Assignments, long Updates);

/// <summary>A token that was given out, without its secret.</summary>
/// <param name="Kind"><c>operator</c>, <c>viewer</c> or <c>enrolment</c>.</param>
/// <param name="Expires">Unix seconds; null for no end.</param>
/// <param name="State"><c>good</c>, <c>used</c>, <c>expired</c> or <c>revoked</c>.</param>
public sealed record IssuedToken(string Id, string Kind, string Name, double? Expires, string State);
