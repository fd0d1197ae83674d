namespace Federated.Privacy.SecureAggregation.Sessions;

/// <summary>What is agreed on before anybody comes: part of a run's configuration, the same for the coordinator and every client.</summary>
public sealed record SessionTerms
{
    /// <summary>Below this many members everybody is everybody's neighbour: a sparse graph would save nothing.</summary>
    public const int CompleteBelow = 30;

    /// <summary>The run, so that nothing signed for one counts in another.</summary>
    public required string Run { get; init; }

    /// <summary>Words of a vector.</summary>
    public required int Length { get; init; }

    /// <summary>b: words are summed modulo 2^b; 1 … 32.</summary>
    public required int Bits { get; init; }

    /// <summary>The fewest members whose sum is ever opened; clients refuse to open a sum of fewer.</summary>
    public required int Minimum { get; init; }

    /// <summary>The most members of a session: the encoding leaves room for so many.</summary>
    public required int Most { get; init; }

    /// <summary>γ: share of the members that may collude with the server.</summary>
    public required double Corrupted { get; init; }

    /// <summary>δ: share that may drop out without the session failing.</summary>
    public required double Dropout { get; init; }

    /// <summary>What the server may do beyond looking.</summary>
    public required AggregationServer Server { get; init; }

    /// <summary>What follows for a session of so many members.</summary>
    /// <param name="number">The session's number within the run.</param>
    /// <param name="members">n.</param>
    /// <exception cref="PrivacyException">No session of so many members keeps the terms.</exception>
    public SessionParameters For(uint number, int members)
    {
        if (members < Math.Max(2, Minimum) || members > Most)
        {
            throw new PrivacyException($"A session here has {Math.Max(2, Minimum)} to {Most} members; this one has {members}.");
        }

        if (members >= CompleteBelow && AggregationGraph.Find(members, Corrupted, Dropout, Server) is { } sparse)
        {
            return new SessionParameters(this, number, members, sparse.Degree, sparse.Threshold, Math.Max(2, Minimum));
        }

        var threshold = CompleteThreshold(members);
        return new SessionParameters(this, number, members, members - 1, threshold, Math.Max(threshold, Minimum));
    }

    /// <summary>
    /// t on the complete graph: more than two thirds against a server that tells two stories (each story needs t, and honest clients follow one), more
    /// than half against one that only looks; more than those who collude either way.
    /// </summary>
    public int CompleteThreshold(int members)
    {
        var colluding = (int)((members * Corrupted) + 1e-9);
        return Math.Max(Math.Max(2, colluding + 1), Server == AggregationServer.SemiMalicious ? (2 * members / 3) + 1 : (members / 2) + 1);
    }
}

/// <summary>One session's numbers: a client computes them itself, so that the server has no say in them.</summary>
/// <param name="Terms">What was agreed on before.</param>
/// <param name="Number">The session's number within the run: in every key's derivation.</param>
/// <param name="Members">n.</param>
/// <param name="Degree">k, neighbours of a member; n − 1 on the complete graph.</param>
/// <param name="Threshold">t: so many of the k + 1 shares of a secret give it back.</param>
/// <param name="Minimum">The fewest survivors whose sum is opened.</param>
public sealed record SessionParameters(SessionTerms Terms, uint Number, int Members, int Degree, int Threshold, int Minimum);
