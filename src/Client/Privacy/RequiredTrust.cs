namespace Federated.Client.Privacy;

/// <summary>Whom a client is willing to trust with what it sends; each is stricter than the one before.</summary>
public enum RequiredTrust
{
    /// <summary>Anybody: also a run that guarantees nothing.</summary>
    Anything,

    /// <summary>The coordinator may see the clipped update, and adds the noise.</summary>
    Central,

    /// <summary>The coordinator may see sums of many clients' updates, no single one.</summary>
    Distributed,

    /// <summary>A shuffler that does not collude with the coordinator; what is sent is randomised.</summary>
    Shuffle,

    /// <summary>Nobody: what is sent is randomised, and that is all that counts.</summary>
    Local,
}
