namespace Federated.Privacy.Pipeline;

/// <summary>What a policy does, in numbers: what a statement about it is written from. Nothing in it depends on data.</summary>
public sealed record PolicyTerms
{
    /// <value>The mechanism's or the randomiser's name; empty where updates pass as they are.</value>
    public string Mechanism { get; init; } = "";

    /// <value>What a client's guarantee compares; null where nothing is guaranteed.</value>
    public NeighbourRelation? Relation { get; init; }

    /// <value>C, the L2 bound of an update, as planned; 0 where nothing is clipped.</value>
    public double ClipNorm { get; init; }

    /// <value>True when C follows the lengths of updates.</value>
    public bool ClipAdapts { get; init; }

    /// <value>z, the deviation over C of a release's noise, as it is charged, or of a local step's (DP-SGD); 0 where neither has any.</value>
    public double NoiseMultiplier { get; init; }

    /// <value>What amplification by sampling is claimed.</value>
    public SamplingClaim Sampling { get; init; }

    /// <value>ε₀ of one report; 0 where clients do not randomise.</value>
    public double ReportEpsilon { get; init; }

    /// <value>B_min, reports of a batch that the amplification by shuffling is computed for; 0 where nothing is shuffled.</value>
    public int MinimumBatch { get; init; }

    /// <value>Reports of each batch that are taken to hide nobody.</value>
    public int AssumedCorrupt { get; init; }

    /// <value>ε that may be spent; 0 without a budget.</value>
    public double EpsilonBudget { get; init; }

    /// <value>δ that the policy's ε is stated at; 0 where nothing is guaranteed.</value>
    public double Delta { get; init; }

    /// <value>What the policy allows each client and the run in advance.</value>
    public ParticipationLimits Limits { get; init; } = ParticipationLimits.None;

    /// <value>
    /// What is left for the client that takes part most, as often as it may, when the party that the policy trusts with the shuffling shuffles
    /// nothing: its reports composed. Null where nothing is shuffled, or nothing bounds how often a client reports.
    /// </value>
    public PrivacyGuarantee? WithoutShuffling { get; init; }
}
