namespace Federated.Privacy.SecureAggregation.Sessions;

/// <summary>
/// The server's side of a session: takes what members send, phase by phase, and ends with the sum of the survivors' vectors, exact modulo 2^b, or with the
/// reason why there is none. It holds nothing that opens a single vector.
/// </summary>
/// <remarks>
/// As <see cref="SessionClient"/>. What a member sends is taken or refused with the reason; <see cref="Advance"/> ends a phase and begins the next, or aborts.
/// Not thread-safe. Memory: the sum (d words), and k sealed shares of about 100 bytes a member. Cost of opening: a keystream of d words for each survivor
/// and for each pair of a dropped member and a surviving neighbour.
/// </remarks>
/// <param name="terms">From the run's configuration.</param>
/// <param name="number">The session's number within the run, never used before.</param>
public sealed partial class SessionServer(SessionTerms terms, uint number)
{
    private readonly SortedDictionary<string, Advertisement> advertised = new(StringComparer.Ordinal);
    private Advertisement[] members = [];
    private SessionParameters? parameters;
    private byte[] session = [];
    private SessionGraph? graph;
    private KeyShares?[] shares = [];
    private bool[] hasDelivered = [];
    private byte[]?[] signatures = [];
    private UnmaskShares?[] unmasked = [];
    private uint[] sum = [];
    private int delivered;

    public SessionPhase Phase { get; private set; }

    /// <summary>Why the session failed; empty while it has not.</summary>
    public string Problem { get; private set; } = "";

    public uint Number => number;

    /// <summary>The session's numbers; null before the roster is closed.</summary>
    public SessionParameters? Parameters => parameters;

    /// <summary>The session's hash; empty before the roster is closed.</summary>
    public ReadOnlyMemory<byte> Session => session;

    /// <summary>The seed of public coins that all members know.</summary>
    public byte[] PublicSeed => SessionKeys.PublicSeed(session);

    /// <summary>Members in the order of the roster, or of their ids while it is open.</summary>
    public IReadOnlyList<string> Members => members.Length > 0 ? [.. members.Select(m => m.Member)] : [.. advertised.Keys];

    /// <summary>U1.</summary>
    public int[] Sharers { get; private set; } = [];

    /// <summary>U2.</summary>
    public int[] Survivors { get; private set; } = [];

    /// <summary>How many have taken the phase's step.</summary>
    public int Present => Phase switch
    {
        SessionPhase.Advertise => advertised.Count,
        SessionPhase.ShareKeys => shares.Count(s => s is not null),
        SessionPhase.MaskedInput => delivered,
        SessionPhase.Consistency => signatures.Count(s => s is not null),
        _ => unmasked.Count(s => s is not null),
    };

    /// <summary>How many can take it at most.</summary>
    public int Expected => Phase switch
    {
        SessionPhase.Advertise => terms.Most,
        SessionPhase.ShareKeys => members.Length,
        SessionPhase.MaskedInput => Sharers.Length,
        _ => Survivors.Length,
    };

    public int IndexOf(string member) => Array.FindIndex(members, m => m.Member == member);

    /// <returns>Why it is not taken; null when it is.</returns>
    public string? Add(Advertisement advertisement)
    {
        ArgumentNullException.ThrowIfNull(advertisement);
        if (Phase != SessionPhase.Advertise || advertised.Count >= terms.Most)
        {
            return "the roster is closed";
        }

        var (member, c, s) = (advertisement.Member, advertisement.CipherKey, advertisement.MaskKey);
        if (!SessionKeys.Verifies(advertisement.IdentityKey, SessionKeys.KeysSigned(terms.Run, member, c, s), advertisement.Signature))
        {
            return "the signature does not fit the keys";
        }

        try
        {
            SessionKeys.OpenPoint(c).Dispose();
            SessionKeys.OpenPoint(s).Dispose();
        }
        catch (PrivacyException e)
        {
            return e.Message;
        }

        if (c.AsSpan().SequenceEqual(s) || advertised.Values.Any(o => o.Member != member && (Same(o.CipherKey, c) || Same(o.MaskKey, c) || Same(o.CipherKey, s) || Same(o.MaskKey, s)
            || Same(o.IdentityKey, advertisement.IdentityKey))))
        {
            return "a key is in use already: all keys of a session differ";
        }

        return advertised.TryAdd(member, advertisement) ? null : "this member is in the session";
    }

    /// <summary>The roster, once it is closed.</summary>
    public Roster Roster() => new(number, members);

    public string? Add(int member, KeyShares sent)
    {
        ArgumentNullException.ThrowIfNull(sent);
        if (Refusal(member, SessionPhase.ShareKeys, members.Length, shares) is { } refusal)
        {
            return refusal;
        }

        var neighbours = graph!.NeighboursOf(member);
        if (sent.Commitment is not { Length: 32 } || sent.Shares.Count != neighbours.Length
            || !Array.TrueForAll(neighbours, v => sent.Shares.TryGetValue(v, out var message) && message is { Length: SessionKeys.SealedBytes }))
        {
            return $"shares for exactly {neighbours.Length} neighbours are needed, {SessionKeys.SealedBytes} bytes each";
        }

        shares[member] = sent;
        return null;
    }

    /// <summary>What a member is sent of the others' shares.</summary>
    public ShareDelivery DeliveryTo(int member) =>
        new(Sharers, graph!.NeighboursOf(member).Where(v => shares[v] is not null).ToDictionary(v => v, v => shares[v]!.Shares[member]));

    /// <param name="vector">Masked words below 2^b.</param>
    public string? Add(int member, ReadOnlySpan<uint> vector)
    {
        if (Phase != SessionPhase.MaskedInput || (uint)member >= (uint)members.Length || Array.BinarySearch(Sharers, member) < 0)
        {
            return "no vector is awaited from this member";
        }

        if (hasDelivered[member])
        {
            return "this member has delivered";
        }

        if (vector.Length != terms.Length)
        {
            return $"a vector has {terms.Length} words";
        }

        System.Numerics.Tensors.TensorPrimitives.Add(sum, vector, sum); // Wraps modulo 2³², which 2^b divides.
        hasDelivered[member] = true;
        delivered++;
        return null;
    }

    /// <param name="signature">Of the survivors' list.</param>
    public string? Add(int member, byte[] signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        if (Phase != SessionPhase.Consistency || Array.BinarySearch(Survivors, member) < 0)
        {
            return "no signature is awaited from this member";
        }

        if (!SessionKeys.Verifies(members[member].IdentityKey, SessionKeys.SurvivorsSigned(session, Survivors), signature))
        {
            return "the signature does not fit the survivors";
        }

        signatures[member] = signature;
        return null;
    }

    public UnmaskRequest UnmaskRequest() => new(
        Survivors, [.. Sharers.Except(Survivors)],
        Survivors.Where(v => signatures[v] is not null).ToDictionary(v => v, v => signatures[v]!));

    public string? Add(int member, UnmaskShares sent)
    {
        ArgumentNullException.ThrowIfNull(sent);
        if (Phase != SessionPhase.Unmask || Array.BinarySearch(Survivors, member) < 0)
        {
            return "no shares are awaited from this member";
        }

        if (unmasked[member] is not null)
        {
            return "this member has sent its shares";
        }

        var near = graph!.HoldersOf(member).Where(v => Array.BinarySearch(Sharers, v) >= 0).ToArray();
        var (alive, gone) = (near.Where(v => hasDelivered[v]).ToArray(), near.Where(v => !hasDelivered[v]).ToArray());
        if (sent.SelfMasks.Count != alive.Length || sent.MaskKeys.Count != gone.Length
            || !alive.All(v => sent.SelfMasks.TryGetValue(v, out var share) && SessionKeys.ToShare(share) is not null)
            || !gone.All(v => sent.MaskKeys.TryGetValue(v, out var share) && SessionKeys.ToShare(share) is not null))
        {
            return $"shares of {alive.Length} self masks and {gone.Length} mask keys are needed";
        }

        unmasked[member] = sent;
        return null;
    }

    /// <summary>True when the shares that came give back everything that has to be removed.</summary>
    public bool CanOpen => Phase == SessionPhase.Unmask && Array.TrueForAll(Sharers, v => graph!.HoldersOf(v).Count(h => unmasked[h] is not null) >= parameters!.Threshold);

    /// <summary>Ends the phase with those who are there: the next one begins, or the session is over.</summary>
    /// <remarks>Ending <see cref="SessionPhase.Unmask"/> opens the sum, which is the work of the session.</remarks>
    /// <param name="maxThreads">For opening; 0: as many as the machine has.</param>
    public SessionPhase Advance(int maxThreads = 0)
    {
        switch (Phase)
        {
            case SessionPhase.Advertise when advertised.Count < Math.Max(2, terms.Minimum):
                Abort($"{advertised.Count} members came; {Math.Max(2, terms.Minimum)} are needed");
                break;
            case SessionPhase.Advertise:
                CloseRoster();
                break;
            case SessionPhase.ShareKeys:
                Sharers = [.. Enumerable.Range(0, members.Length).Where(v => shares[v] is not null)];
                Next(Sharers, SessionPhase.MaskedInput, "shared keys");
                break;
            case SessionPhase.MaskedInput:
                Survivors = [.. Sharers.Where(v => hasDelivered[v])];
                Next(Survivors, SessionPhase.Consistency, "delivered");
                break;
            case SessionPhase.Consistency:
                Next([.. Survivors.Where(v => signatures[v] is not null)], SessionPhase.Unmask, "signed who survived");
                break;
            case SessionPhase.Unmask:
                Open(maxThreads);
                break;
        }

        return Phase;
    }

    public void Abort(string why)
    {
        if (Phase is not (SessionPhase.Done or SessionPhase.Aborted))
        {
            (Phase, Problem) = (SessionPhase.Aborted, why);
            Array.Clear(sum);
            Array.Clear(unmasked);
            Array.Clear(shares);
        }
    }

    /// <summary>Lets go of the sum and of all that members sent, once nothing more is made of them; who took part stays.</summary>
    public void Forget() => (sum, shares, signatures, unmasked) = ([], [], [], []);

    /// <summary>The sum of the survivors' vectors modulo 2^b.</summary>
    /// <exception cref="PrivacyException">The session has none.</exception>
    public ReadOnlySpan<uint> Sum => Phase == SessionPhase.Done ? sum : throw new PrivacyException($"The session has no sum; it is at {Phase}. {Problem}");

    private static bool Same(byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b);

    private string? Refusal<TSent>(int member, SessionPhase phase, int count, TSent?[] sent)
        where TSent : class =>
        Phase != phase || (uint)member >= (uint)count ? "nothing of this kind is awaited from this member" : sent[member] is not null ? "this member has sent it" : null;

    private void CloseRoster()
    {
        members = [.. advertised.Values];
        parameters = terms.For(number, members.Length);
        session = SessionKeys.Session(parameters, members);
        graph = new SessionGraph(session, members.Length, parameters.Degree);
        shares = new KeyShares?[members.Length];
        hasDelivered = new bool[members.Length];
        signatures = new byte[]?[members.Length];
        unmasked = new UnmaskShares?[members.Length];
        sum = new uint[terms.Length];
        Phase = SessionPhase.ShareKeys;
    }

    private void Next(int[] present, SessionPhase next, string what)
    {
        if (present.Length < parameters!.Minimum)
        {
            Abort($"{present.Length} of {members.Length} members {what}; {parameters.Minimum} are needed");
        }
        else
        {
            Phase = next;
        }
    }
}
