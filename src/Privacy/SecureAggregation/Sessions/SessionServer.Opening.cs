using System.Security.Cryptography;

namespace Federated.Privacy.SecureAggregation.Sessions;

/// <content>Opening the sum: what survivors put in for themselves and for those that dropped out is recovered from shares, and removed.</content>
public sealed partial class SessionServer
{
    /// <summary>Sets of shares tried for one secret before it counts as lost to wrong shares.</summary>
    private const int Attempts = 64;

    private void Open(int maxThreads)
    {
        List<MaskTerm> masks = [];
        foreach (var v in Sharers)
        {
            if (hasDelivered[v])
            {
                var secret = Recover(v, share => share.SelfMasks, found => Same(SessionKeys.Commitment(session, v, found), shares[v]!.Commitment));
                if (secret is null)
                {
                    return;
                }

                masks.Add(new MaskTerm(SessionKeys.SelfSeed(secret, session, v, number), Subtract: true));
                CryptographicOperations.ZeroMemory(secret);
                continue;
            }

            ECDiffieHellman? key = null;
            if (Recover(v, share => share.MaskKeys, found => IsKeyOf(found, members[v].MaskKey, out key)) is not { } scalar)
            {
                return;
            }

            using (key)
            {
                // What each neighbour put in for the one that dropped out; the mask is theirs, so it is removed as the dropped member would have.
                masks.AddRange(graph!.NeighboursOf(v).Where(w => hasDelivered[w]).Select(w => SessionKeys.PairTerm(key!, members[w].MaskKey, session, v, w, number)));
            }

            CryptographicOperations.ZeroMemory(scalar);
        }

        PairwiseMask.ApplyAll(sum, masks, terms.Bits, maxThreads);
        var kept = uint.MaxValue >> (32 - terms.Bits);
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] &= kept;
        }

        masks.ForEach(mask => CryptographicOperations.ZeroMemory(mask.Seed));
        Array.Clear(unmasked);
        Array.Clear(shares);
        Phase = SessionPhase.Done;
    }

    /// <summary>A member's secret from t of the shares that came; null, and the session aborted, when there is none that fits.</summary>
    private byte[]? Recover(int member, Func<UnmaskShares, IReadOnlyDictionary<int, byte[]>> which, Func<byte[], bool> fits)
    {
        var holders = graph!.HoldersOf(member);
        List<(int Position, ulong[] Share)> found = [];
        for (var i = 0; i < holders.Length; i++)
        {
            if (unmasked[holders[i]] is { } sent && which(sent).TryGetValue(member, out var share))
            {
                found.Add((i + 1, SessionKeys.ToShare(share)!));
            }
        }

        var t = parameters!.Threshold;
        if (found.Count < t)
        {
            Abort($"{found.Count} shares of what member {member} put in came; {t} are needed to remove it");
            return null;
        }

        var secret = new byte[SessionKeys.SecretBytes];
        for (var attempt = 0; attempt < Math.Min(Attempts, found.Count == t ? 1 : found.Count); attempt++)
        {
            var tried = Enumerable.Range(0, t).Select(i => found[(attempt + i) % found.Count]).ToList();
            try
            {
                ShamirSharing.Combine([.. tried.Select(f => f.Position)], tried.ConvertAll(f => f.Share), secret);
                if (fits(secret))
                {
                    return secret;
                }
            }
            catch (PrivacyException)
            {
                // What these shares combine to is no secret: one of them is wrong.
            }
        }

        Abort($"the shares of what member {member} put in do not fit together: one of the members that sent them is at fault");
        return null;
    }

    private static bool IsKeyOf(byte[] scalar, byte[] point, out ECDiffieHellman? key)
    {
        key = null;
        try
        {
            key = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                D = scalar,
                Q = new ECPoint { X = point[1..33], Y = point[33..] },
            });
            using var known = SessionKeys.OpenPoint(point);

            // A platform that does not compare the two halves of a key on import is found out by what they agree on with another key.
            using var probe = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            var (one, two) = (key.DeriveRawSecretAgreement(probe.PublicKey), probe.DeriveRawSecretAgreement(known.PublicKey));
            if (CryptographicOperations.FixedTimeEquals(one, two))
            {
                return true;
            }
        }
        catch (CryptographicException)
        {
            // No scalar of the curve, or not of this point.
        }

        key?.Dispose();
        key = null;
        return false;
    }
}
