namespace Federated.Privacy.SecureAggregation.Sessions;

/// <content>What a member checks of everything that the server says; the first thing that is not so ends the session for it.</content>
public sealed partial class SessionClient
{
    /// <summary>All names and all keys' difference; whether a key is a point is checked where it is used, with those of the neighbours.</summary>
    private void CheckRoster()
    {
        var (keys, identities) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        for (var i = 0; i < roster.Count; i++)
        {
            if (roster[i] is not { } other)
            {
                throw new PrivacyException($"The roster has nobody at {i}.");
            }

            if (i > 0 && string.CompareOrdinal(roster[i - 1].Member, other.Member) >= 0)
            {
                throw new PrivacyException("The roster is not in the order of its members' ids, or names one twice.");
            }

            if (!keys.Add(Convert.ToBase64String(other.CipherKey)) || !keys.Add(Convert.ToBase64String(other.MaskKey))
                || !identities.Add(Convert.ToBase64String(other.IdentityKey)))
            {
                throw new PrivacyException($"A key of member {i} is in use already: all keys of a session differ.");
            }

            if (other.Member == member)
            {
                index = i;
                if (!other.CipherKey.AsSpan().SequenceEqual(advertised!.CipherKey) || !other.MaskKey.AsSpan().SequenceEqual(advertised.MaskKey)
                    || !other.IdentityKey.AsSpan().SequenceEqual(advertised.IdentityKey))
                {
                    throw new PrivacyException("The roster gives this member keys that are not its own.");
                }

                continue;
            }

            if (recognises is not null && !recognises(other.Member, other.IdentityKey))
            {
                throw new PrivacyException($"Member {i}'s identity key is not one that this client knows.");
            }
        }

        if (index < 0)
        {
            throw new PrivacyException("The roster does not name this member.");
        }
    }

    /// <summary>
    /// The neighbours' signatures: only their keys mask and hold anything of this member's. Keys that somebody else did not sign are refused by their own neighbours,
    /// so that a session with more than a few of them comes to nothing (Bell et al. 2020, section 4).
    /// </summary>
    private void CheckSignatures()
    {
        foreach (var i in neighbours)
        {
            var other = roster[i];
            if (!SessionKeys.Verifies(other.IdentityKey, SessionKeys.KeysSigned(terms.Run, other.Member, other.CipherKey, other.MaskKey), other.Signature))
            {
                throw new PrivacyException($"Member {i}'s signature does not fit its keys.");
            }
        }
    }

    private void CheckUnmask(UnmaskRequest request)
    {
        var asked = Among(request.Survivors, roster.Count, "survivors");
        var dropped = request.Dropped.Count == 0 ? [] : Among(request.Dropped, roster.Count, "who dropped out", mayLackSelf: true);
        if (asked.Intersect(dropped).FirstOrDefault(-1) is >= 0 and var both)
        {
            throw new PrivacyException($"Both secrets of member {both} are asked for: its vector would be open.");
        }

        if (!asked.SequenceEqual(survivors))
        {
            throw new PrivacyException("Those said to survive are not those that this member signed.");
        }

        if (!dropped.SequenceEqual(sharers.Where(v => !IsIn(survivors)(v))))
        {
            throw new PrivacyException("Those said to have dropped out are not those that shared keys and did not deliver.");
        }

        var signed = SessionKeys.SurvivorsSigned(session, survivors);
        var agreeing = holders.Count(v => v == index || (IsIn(survivors)(v) && request.Signatures.TryGetValue(v, out var theirs)
            && SessionKeys.Verifies(roster[v].IdentityKey, signed, theirs)));
        if (agreeing < parameters!.Threshold)
        {
            throw new PrivacyException($"{agreeing} of this member's neighbours signed these survivors; {parameters.Threshold} are needed.");
        }
    }

    private void RequireEnough(int[] present, string what)
    {
        var near = holders.Count(IsIn(present));
        if (present.Length < parameters!.Minimum || near < parameters.Threshold)
        {
            throw new PrivacyException(
                $"{present.Length} members {what}, {near} of them near this one; {parameters.Minimum} and {parameters.Threshold} are needed. The session cannot be gone on with.");
        }
    }

    private int[] Among(IReadOnlyList<int> list, int count, string what, bool mayLackSelf = false)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] < 0 || list[i] >= count || (i > 0 && list[i] <= list[i - 1]))
            {
                throw new PrivacyException($"The list of {what} is not of different members in ascending order.");
            }
        }

        return mayLackSelf || list.Contains(index) ? [.. list] : throw new PrivacyException($"The list of {what} lacks this member, which did.");
    }
}
