namespace Federated.Privacy;

/// <summary>Whose presence a guarantee hides: the "one" in "two data sets that differ in one …".</summary>
public enum PrivacyUnit
{
    /// <summary>One training example of one client.</summary>
    Example,

    /// <summary>One client with everything that it holds, over the whole run: all of its participations together.</summary>
    Client,

    /// <summary>
    /// One participation of one client: a single update or report. A client that takes part k times has k such units, and its own
    /// guarantee is their composition (see <c>ParticipationAccountant</c>).
    /// </summary>
    ClientParticipation,
}
