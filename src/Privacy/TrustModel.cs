namespace Federated.Privacy;

/// <summary>Who has to be trusted for a guarantee to hold: who could have seen the data without noise.</summary>
public enum TrustModel
{
    /// <summary>The aggregating server sees every client's update and adds the noise itself.</summary>
    Central,

    /// <summary>Clients add shares of the noise; only a sum over at least a threshold of them can be opened (secure aggregation).</summary>
    Distributed,

    /// <summary>A shuffler that does not collude with the analyser permutes the reports of a full batch.</summary>
    Shuffle,

    /// <summary>Nobody: each client randomises its own report before it leaves the device.</summary>
    Local,
}
