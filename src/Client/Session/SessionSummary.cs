namespace Federated.Client.Session;

/// <summary>What a session came to.</summary>
/// <param name="Reason">Why it ended: the run's own reason, or that enough updates have been settled.</param>
/// <param name="FinalVersion">The run's last version; null when it goes on without this client.</param>
/// <param name="Accepted">Updates that the coordinator took.</param>
/// <param name="Rejected">Updates that it refused, or that were dropped with a shuffler's batch.</param>
/// <param name="GivenUp">Assignments that ended without an update.</param>
public sealed record SessionSummary(string Reason, int? FinalVersion, int Accepted, int Rejected, int GivenUp)
{
    /// <value>True when the client's own privacy requirements ended it.</value>
    public bool IsPrivacyRefusal { get; init; }
}
