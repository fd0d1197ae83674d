namespace Federated.Privacy;

/// <summary>Who has to be trusted for a guarantee to hold: who could have seen the data without noise. From the most that has to be trusted to the least: several guarantees together have the first of their models.</summary>
public enum TrustModel
{
    /// <summary>The aggregating server sees every client's update and adds the noise itself.</summary>
    Central,

    /// <summary>
    /// Each user's own silo (its hospital, its bank) sees its users' data and adds the noise to whatever leaves it; nobody beyond it does. Called silo-level local privacy, though
    /// it is the silo, not the user, that is local.
    /// </summary>
    Silo,

    /// <summary>Clients add shares of the noise; only a sum over at least a threshold of them can be opened (secure aggregation).</summary>
    Distributed,

    /// <summary>A shuffler that does not collude with the analyser permutes the reports of a full batch.</summary>
    Shuffle,

    /// <summary>Nobody: each client randomises its own report before it leaves the device.</summary>
    Local,
}
