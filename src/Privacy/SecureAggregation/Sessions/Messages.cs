namespace Federated.Privacy.SecureAggregation.Sessions;

/// <summary>Round 0, up: a member's keys for one session.</summary>
/// <param name="Member">Its id in the registry.</param>
/// <param name="CipherKey">c: P-256 point, 65 bytes uncompressed; shares are encrypted to it.</param>
/// <param name="MaskKey">s: P-256 point; pairwise masks come of it.</param>
/// <param name="IdentityKey">The member's long-term P-256 key, SubjectPublicKeyInfo.</param>
/// <param name="Signature">ES256 by the identity key over run, member and both keys (r ‖ s, 64 bytes).</param>
public sealed record Advertisement(string Member, byte[] CipherKey, byte[] MaskKey, byte[] IdentityKey, byte[] Signature);

/// <summary>Round 0, down: everybody's keys, in the ordinal order of their ids. A member's place in it is its index.</summary>
public sealed record Roster(uint Number, IReadOnlyList<Advertisement> Members);

/// <summary>Round 1, up.</summary>
/// <param name="Commitment">SHA-256 over session, index and b_u: the server can tell a wrong share from a right one.</param>
/// <param name="Shares">To each neighbour's index, its shares of b_u and of the mask key, encrypted to it.</param>
public sealed record KeyShares(byte[] Commitment, IReadOnlyDictionary<int, byte[]> Shares);

/// <summary>Round 1, down.</summary>
/// <param name="Sharers">U1: who delivered shares, ascending.</param>
/// <param name="Shares">From each neighbour in U1, the shares for this member.</param>
public sealed record ShareDelivery(IReadOnlyList<int> Sharers, IReadOnlyDictionary<int, byte[]> Shares);

/// <summary>Round 3, down.</summary>
/// <param name="Survivors">U2: who delivered a masked vector, ascending.</param>
/// <param name="Dropped">U1 without U2, ascending.</param>
/// <param name="Signatures">By survivors over U2.</param>
public sealed record UnmaskRequest(IReadOnlyList<int> Survivors, IReadOnlyList<int> Dropped, IReadOnlyDictionary<int, byte[]> Signatures);

/// <summary>Round 3, up: for each neighbour (and oneself) one share, never two.</summary>
/// <param name="SelfMasks">Shares of b_v, v in U2.</param>
/// <param name="MaskKeys">Shares of v's mask key, v in U1 without U2.</param>
public sealed record UnmaskShares(IReadOnlyDictionary<int, byte[]> SelfMasks, IReadOnlyDictionary<int, byte[]> MaskKeys);

/// <summary>Where a session stands.</summary>
public enum SessionPhase
{
    /// <summary>0: members make themselves known.</summary>
    Advertise,

    /// <summary>1: secrets are shared among neighbours.</summary>
    ShareKeys,

    /// <summary>2: masked vectors come in.</summary>
    MaskedInput,

    /// <summary>2b: survivors sign who they are.</summary>
    Consistency,

    /// <summary>3: shares of what has to be removed come in.</summary>
    Unmask,

    /// <summary>The sum is open.</summary>
    Done,

    /// <summary>It failed; nothing was opened.</summary>
    Aborted,
}
