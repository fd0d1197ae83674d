namespace Federated.Privacy;

/// <summary>What a guarantee compares: data sets that differ in one <paramref name="Unit"/>, in the way of <paramref name="Adjacency"/>.</summary>
/// <param name="Unit">Whose presence or value is hidden.</param>
/// <param name="Adjacency">How the two data sets differ in that unit.</param>
public readonly record struct NeighbourRelation(PrivacyUnit Unit, Adjacency Adjacency)
{
    /// <summary>One client more or less; the relation of DP-FedAvg with Poisson sampling.</summary>
    public static NeighbourRelation AddRemoveClient { get; } = new(PrivacyUnit.Client, Adjacency.AddRemove);

    /// <summary>One client's data exchanged for any other; the relation of fixed-size sampling.</summary>
    public static NeighbourRelation ReplaceOneClient { get; } = new(PrivacyUnit.Client, Adjacency.ReplaceOne);

    /// <summary>One client's update exchanged for zero in one participation; the relation of asynchronous central noise.</summary>
    public static NeighbourRelation ZeroOutParticipation { get; } = new(PrivacyUnit.ClientParticipation, Adjacency.ZeroOut);

    /// <summary>One report exchanged for any other; the relation of local randomisers and of shuffling.</summary>
    public static NeighbourRelation ReplaceOneParticipation { get; } = new(PrivacyUnit.ClientParticipation, Adjacency.ReplaceOne);

    /// <summary>How far one unit moves a sum of vectors of norm at most <paramref name="clipNorm"/>.</summary>
    /// <param name="clipNorm">Largest norm of one unit's contribution.</param>
    /// <returns>The clip norm under add-remove and zero-out, twice the clip norm under replace-one.</returns>
    public double SumSensitivity(double clipNorm)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clipNorm);
        return Adjacency == Adjacency.ReplaceOne ? 2 * clipNorm : clipNorm;
    }

    /// <summary>The relation in words, as printed beside an ε: "replace-one client".</summary>
    public override string ToString() => $"{Words(Adjacency)} {Words(Unit)}";

    /// <summary>Throws unless both relations are the same.</summary>
    /// <exception cref="PrivacyException">The relations differ in unit or in adjacency; the message says which, and what would help.</exception>
    public static void RequireSame(NeighbourRelation expected, NeighbourRelation actual)
    {
        if (expected.Unit != actual.Unit)
        {
            throw new PrivacyException(
                $"Guarantees for unlike units cannot be composed: the composition protects one {Words(expected.Unit)}, "
                + $"the new event protects one {Words(actual.Unit)}. State both for the same unit (ParticipationAccountant turns the participations "
                + "of a client into that client's guarantee).");
        }

        if (expected.Adjacency != actual.Adjacency)
        {
            throw new PrivacyException(
                $"Guarantees under unlike adjacencies cannot be composed: the composition is under {Words(expected.Adjacency)}, "
                + $"the new event under {Words(actual.Adjacency)}. Restate the event under {Words(expected.Adjacency)}; a sum clipped to C has "
                + "sensitivity C under add-remove and zero-out, and 2C under replace-one.");
        }
    }

    internal static string Words(Adjacency adjacency) => adjacency switch
    {
        Adjacency.AddRemove => "add-remove",
        Adjacency.ReplaceOne => "replace-one",
        _ => "zero-out",
    };

    internal static string Words(PrivacyUnit unit) => unit switch
    {
        PrivacyUnit.Example => "example",
        PrivacyUnit.Client => "client",
        _ => "client participation",
    };
}
