using System.Security.Cryptography;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.SecureAggregation.Sessions;

/// <summary>
/// One member's side of a secure-aggregation session: its vector leaves it only under masks that fall away in the sum over at least
/// the minimum of members. Protects the vector against the server and up to γ·n members that collude with it; what breaks it is a server that can make
/// up members (identities have to be known from elsewhere), and sums of two sessions that differ in one member.
/// </summary>
/// <remarks>
/// Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017, figure 4, with the consistency round; on the graph of
/// Bell et al., "Secure Single-Server Aggregation with (Poly)Logarithmic Overhead", CCS 2020.
/// <code>
/// 0 Advertise      fresh keys c and s, signed by the identity key
/// 1 ShareKeys      check the roster; share b_u and s_u among k + 1 holders, t of whom give a secret back
/// 2 MaskedInput    y = x + PRG(b_u) ± Σ PRG(s_uv) over the neighbours in U1, modulo 2^b
/// 2b Consistency   sign U2: one U2 only
/// 3 Unmask         for each neighbour one share: of b_v if it delivered, of s_v if it did not; never both, never twice
/// </code>
/// Deviations: a member keeps the share of its own b_u and gives it too; shares are checked when they come, and a wrong one ends the session for this
/// member; b_u has a commitment. Every refusal erases what was secret: a session cannot be gone on with.
/// Not thread-safe. Cost: 2k key agreements, 2k signatures' checks, (k + 1)·d words of keystream, and the hash of a roster of n.
/// </remarks>
public sealed partial class SessionClient : IDisposable
{
    private readonly SessionTerms terms;
    private readonly string member;
    private readonly ECDsa identity;
    private readonly IRandomSource random;
    private readonly Func<string, ReadOnlyMemory<byte>, bool>? recognises;
    private readonly ECDiffieHellman cipherKey = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDiffieHellman maskKey = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] selfSecret = new byte[SessionKeys.SecretBytes];
    private readonly Dictionary<int, byte[]> held = [];
    private Advertisement? advertised;
    private IReadOnlyList<Advertisement> roster = [];
    private SessionParameters? parameters;
    private byte[] session = [];
    private int index = -1;
    private int[] neighbours = [];
    private int[] holders = [];
    private int[] sharers = [];
    private int[] survivors = [];
    private byte[]? signature;
    private bool isErased;

    /// <param name="terms">From the run's configuration, which the client has judged.</param>
    /// <param name="member">The client's id in the registry.</param>
    /// <param name="identity">Its long-term P-256 key; not owned.</param>
    /// <param name="random">Cryptographic.</param>
    /// <param name="recognises">Whether an identity key is really a member's, from a directory that is not the server's; null to take the server's word.</param>
    public SessionClient(SessionTerms terms, string member, ECDsa identity, IRandomSource random, Func<string, ReadOnlyMemory<byte>, bool>? recognises = null)
    {
        ArgumentNullException.ThrowIfNull(terms);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(random);
        ArgumentException.ThrowIfNullOrEmpty(member);
        (this.terms, this.member, this.identity, this.random, this.recognises) = (terms, member, identity, random, recognises);
    }

    /// <summary>The step that comes next.</summary>
    public SessionPhase Phase { get; private set; }

    /// <summary>True once a masked vector was handed out: the same input must never be masked in another session, or the two sums could be compared.</summary>
    public bool HasSent { get; private set; }

    /// <summary>The session's hash; empty before the roster.</summary>
    public ReadOnlyMemory<byte> Session => session;

    /// <summary>The seed of public coins that all members know.</summary>
    public byte[] PublicSeed => SessionKeys.PublicSeed(session);

    /// <summary>This member's place in the roster; −1 before it.</summary>
    public int Index => index;

    /// <summary>True when no secret of the session is in memory any more.</summary>
    internal bool IsErased => isErased && selfSecret.All(b => b == 0) && held.Values.All(share => share.All(b => b == 0));

    /// <summary>Round 0: the keys of this session.</summary>
    public Advertisement Advertise() => Step(SessionPhase.Advertise, SessionPhase.ShareKeys, () =>
    {
        var (c, s) = (SessionKeys.PointOf(cipherKey), SessionKeys.PointOf(maskKey));
        var signed = identity.SignData(SessionKeys.KeysSigned(terms.Run, member, c, s), HashAlgorithmName.SHA256);
        return advertised = new Advertisement(member, c, s, identity.ExportSubjectPublicKeyInfo(), signed);
    });

    /// <summary>Round 1: checks who is there and shares the secrets among the neighbours.</summary>
    public KeyShares ShareKeys(Roster announced)
    {
        ArgumentNullException.ThrowIfNull(announced);
        return Step(SessionPhase.ShareKeys, SessionPhase.MaskedInput, () =>
        {
            roster = announced.Members;
            parameters = terms.For(announced.Number, roster.Count);
            CheckRoster();
            session = SessionKeys.Session(parameters, roster);
            var graph = new SessionGraph(session, roster.Count, parameters.Degree);
            (neighbours, holders) = (graph.NeighboursOf(index), graph.HoldersOf(index));
            CheckSignatures();
            random.Fill(selfSecret);
            var scalar = maskKey.ExportParameters(includePrivateParameters: true).D!;
            var selfShares = ShamirSharing.Split(selfSecret, parameters.Threshold, holders.Length, random);
            var keyShares = ShamirSharing.Split(scalar, parameters.Threshold, holders.Length, random);
            CryptographicOperations.ZeroMemory(scalar);
            var sealedShares = new Dictionary<int, byte[]>();
            for (var i = 0; i < holders.Length; i++)
            {
                byte[] pair = [.. SessionKeys.ToBytes(selfShares[i]), .. SessionKeys.ToBytes(keyShares[i])];
                Array.Clear(selfShares[i]);
                Array.Clear(keyShares[i]);
                if (holders[i] == index)
                {
                    held[index] = pair;
                    continue;
                }

                sealedShares[holders[i]] = SessionKeys.Seal(cipherKey, roster[holders[i]].CipherKey, session, index, holders[i], pair);
                CryptographicOperations.ZeroMemory(pair);
            }

            return new KeyShares(SessionKeys.Commitment(session, index, selfSecret), sealedShares);
        });
    }

    /// <summary>Round 2: masks the vector in place, for those who shared keys.</summary>
    /// <param name="vector">Words below 2^b; uniform to anybody else when this returns.</param>
    /// <param name="maxThreads">0: as many as the machine has.</param>
    public void Mask(ShareDelivery delivery, uint[] vector, int maxThreads = 0)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        ArgumentNullException.ThrowIfNull(vector);
        Step(SessionPhase.MaskedInput, SessionPhase.Consistency, () =>
        {
            var kept = uint.MaxValue >> (32 - terms.Bits);
            if (vector.Length != terms.Length || Array.Exists(vector, word => word > kept))
            {
                throw new PrivacyException($"A vector here has {terms.Length} words below 2^{terms.Bits}; this one has {vector.Length}, or larger ones.");
            }

            sharers = Among(delivery.Sharers, roster.Count, "who shared keys");
            RequireEnough(sharers, "shared keys");
            int[] senders = [.. neighbours.Where(IsIn(sharers))];
            if (delivery.Shares.Count != senders.Length)
            {
                throw new PrivacyException($"{senders.Length} neighbours shared keys, and shares of {delivery.Shares.Count} came.");
            }

            foreach (var sender in senders)
            {
                held[sender] = delivery.Shares.TryGetValue(sender, out var message)
                    && SessionKeys.Open(cipherKey, roster[sender].CipherKey, session, sender, index, message) is { } pair
                        ? pair
                        : throw new PrivacyException($"The shares from member {sender} are missing, or were made by somebody else or for another session.");
            }

            List<MaskTerm> masks = [new MaskTerm(SessionKeys.SelfSeed(selfSecret, session, index, parameters!.Number), Subtract: false)];
            masks.AddRange(senders.Select(v => SessionKeys.PairTerm(maskKey, roster[v].MaskKey, session, index, v, parameters.Number)));
            PairwiseMask.ApplyAll(vector, masks, terms.Bits, maxThreads);
            masks.ForEach(mask => CryptographicOperations.ZeroMemory(mask.Seed));
            HasSent = true;
            return true;
        });
    }

    /// <summary>Round 2b: signs who delivered. The same list may be asked for again; another one never.</summary>
    public byte[] Confirm(IReadOnlyList<int> delivered)
    {
        ArgumentNullException.ThrowIfNull(delivered);
        if (signature is not null && Phase == SessionPhase.Unmask)
        {
            return delivered.SequenceEqual(survivors) ? signature : throw Refuse("This member has signed who survived, and was asked to sign others.");
        }

        return Step(SessionPhase.Consistency, SessionPhase.Unmask, () =>
        {
            survivors = Among(delivered, roster.Count, "who delivered");
            if (survivors.FirstOrDefault(v => !IsIn(sharers)(v), -1) is >= 0 and var stranger)
            {
                throw new PrivacyException($"Member {stranger} is said to have delivered, and had not shared keys.");
            }

            RequireEnough(survivors, "delivered");
            return signature = identity.SignData(SessionKeys.SurvivorsSigned(session, survivors), HashAlgorithmName.SHA256);
        });
    }

    /// <summary>Round 3: one share for each neighbour. Once; then everything is erased.</summary>
    public UnmaskShares Unmask(UnmaskRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Step(SessionPhase.Unmask, SessionPhase.Done, () =>
        {
            CheckUnmask(request);
            var selfMasks = new Dictionary<int, byte[]>();
            var maskKeys = new Dictionary<int, byte[]>();
            foreach (var (holder, pair) in held)
            {
                if (IsIn(survivors)(holder))
                {
                    selfMasks[holder] = pair[..SessionKeys.ShareBytes];
                }
                else
                {
                    maskKeys[holder] = pair[SessionKeys.ShareBytes..];
                }
            }

            Erase();
            return new UnmaskShares(selfMasks, maskKeys);
        });
    }

    public void Dispose()
    {
        Erase();
        Phase = Phase == SessionPhase.Done ? SessionPhase.Done : SessionPhase.Aborted;
    }

    private static Func<int, bool> IsIn(int[] ascending) => member => Array.BinarySearch(ascending, member) >= 0;

    private TResult Step<TResult>(SessionPhase expected, SessionPhase next, Func<TResult> work)
    {
        if (Phase != expected)
        {
            throw Refuse($"This member is asked for step {expected} and is at {Phase}: each step is taken once, in order.");
        }

        try
        {
            var result = work();
            Phase = next;
            return result;
        }
        catch
        {
            Erase();
            Phase = SessionPhase.Aborted;
            throw;
        }
    }

    private PrivacyException Refuse(string why)
    {
        Erase();
        Phase = SessionPhase.Aborted;
        return new PrivacyException(why);
    }

    private void Erase()
    {
        if (isErased)
        {
            return;
        }

        isErased = true;
        cipherKey.Dispose();
        maskKey.Dispose();
        CryptographicOperations.ZeroMemory(selfSecret);
        foreach (var share in held.Values)
        {
            CryptographicOperations.ZeroMemory(share);
        }
    }
}
