using System.Security.Cryptography;

namespace Federated.Privacy.SecureAggregation.Sessions;

/// <summary>Who is whose neighbour in a session: a circulant graph on a ring whose order is drawn from the session's hash, so that every client draws the same.</summary>
/// <remarks>
/// Bell et al., CCS 2020, §4. The order is a Fisher–Yates shuffle of 0 … n − 1 from the last place down, by 32-bit words of the AES-256-CTR keystream
/// under SHA-256("fl/secagg/graph/v1" ‖ session): a word w at or above ⌊2³²/m⌋·m is passed over, else the place is w mod m. Neighbours are at
/// distance 1 … k/2 around the ring.
/// Limit: whoever chooses the last keys can try many of them for a graph that it likes, at one hash a try; 2⁴⁰ tries are what the graph's 40 bits stand for.
/// </remarks>
public sealed class SessionGraph
{
    private readonly int[] order;
    private readonly int[] place;
    private readonly int degree;

    /// <param name="session">The session's hash.</param>
    /// <param name="members">n.</param>
    /// <param name="degree">k: even, or n − 1 for everybody.</param>
    public SessionGraph(ReadOnlySpan<byte> session, int members, int degree)
    {
        if (degree < 1 || degree > members - 1 || (degree < members - 1 && degree % 2 != 0))
        {
            throw new PrivacyException($"A circulant graph of {members} members has an even degree below that, or everybody; not {degree}.");
        }

        this.degree = degree;
        order = [.. Enumerable.Range(0, members)];
        if (degree < members - 1)
        {
            Shuffle(SHA256.HashData([.. "fl/secagg/graph/v1"u8, .. session]));
        }

        place = new int[members];
        for (var i = 0; i < members; i++)
        {
            place[order[i]] = i;
        }
    }

    /// <summary>The neighbours of a member, ascending.</summary>
    public int[] NeighboursOf(int member)
    {
        var n = order.Length;
        if (degree == n - 1)
        {
            return [.. Enumerable.Range(0, n).Where(other => other != member)];
        }

        var neighbours = new int[degree];
        for (var i = 0; i < degree; i++)
        {
            var distance = (i / 2) + 1;
            neighbours[i] = order[(place[member] + (i % 2 == 0 ? distance : n - distance)) % n];
        }

        Array.Sort(neighbours);
        return neighbours;
    }

    /// <summary>The neighbours and the member itself, ascending: its secrets' shares are at places 1 … k + 1 of this list.</summary>
    public int[] HoldersOf(int member)
    {
        int[] holders = [.. NeighboursOf(member), member];
        Array.Sort(holders);
        return holders;
    }

    private void Shuffle(byte[] key)
    {
        var words = new uint[Math.Max(64, 2 * order.Length)];
        PairwiseMask.Apply(words, key, 32, subtract: false);
        var at = 0;
        for (var i = order.Length - 1; i > 0; i--)
        {
            var most = (uint)i + 1;
            var limit = (1UL << 32) / most * most;
            while (words[at] >= limit)
            {
                at++;
            }

            var j = (int)(words[at++] % most);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }
}
