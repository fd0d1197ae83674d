using System.Text.Json;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;

namespace Federated.Protocol.Wire;

/// <summary>Reply to <c>GET /v1/runs/{run}/privacy</c>: the run's statement, and how its ledger stands.</summary>
/// <param name="Version">The version as of which the ledger is told.</param>
public sealed record RunPrivacyMessage(string Run, int Version, StatementMessage Statement)
{
    /// <summary>When the run was created (ISO 8601, UTC): a run's id may be given again.</summary>
    public string CreatedAt { get; init => field = value ?? ""; } = "";

    /// <summary>ε spent by the client that spent most, as of versions, with what a branch inherited; thinned where there are very many. Empty without a policy.</summary>
    public IReadOnlyList<SpendingPoint> Course { get; init => field = value ?? []; } = [];

    /// <summary>Clients that have been charged at least once.</summary>
    public int ClientsCharged { get; init; }

    /// <summary>For operators and viewers: the clients nearest their cap, those with the fewest participations left first.</summary>
    public IReadOnlyList<ClientSpendingMessage> Clients { get; init => field = value ?? []; } = [];

    /// <summary>What all runs of this coordinator together may cost one client; null when the operator has set no such budget.</summary>
    public LifetimeMessage? Lifetime { get; init; }
}

/// <param name="Epsilon">Spent by the client that had spent most when the version was published; null for no finite bound.</param>
public sealed record SpendingPoint(int Version, double? Epsilon = null);

/// <summary>What a run has cost one client.</summary>
/// <param name="Number">Its number in the run.</param>
/// <param name="Participations">Times that it was charged (since the last restart, where the policy has restarts).</param>
/// <param name="Epsilon">Spent; null for no finite bound.</param>
public sealed record ClientSpendingMessage(int Number, string Client, string Name, int Participations, double? Epsilon = null)
{
    /// <summary>All runs of this coordinator together, where the operator has set a budget for that.</summary>
    public double? LifetimeEpsilon { get; init; }
}

/// <summary>A budget over all runs of a coordinator that one client takes part in.</summary>
/// <param name="Epsilon">May be spent at most, by basic composition.</param>
/// <param name="Delta">May be spent at most.</param>
public sealed record LifetimeMessage(double Epsilon, double Delta)
{
    /// <summary>Reserved and spent by the client that asks; null for operators and viewers.</summary>
    public double? UsedEpsilon { get; init; }

    public double? UsedDelta { get; init; }
}

/// <summary>A privacy statement in its parts; <see cref="Text"/> says them all in one paragraph.</summary>
/// <param name="Policy"><c>none</c>, <c>central</c>, <c>local</c>, <c>shuffle</c>.</param>
/// <param name="Text">The paragraph.</param>
public sealed record StatementMessage(string Policy, string Text)
{
    /// <summary>The mechanism's or the randomiser's name; empty for none.</summary>
    public string Mechanism { get; init => field = value ?? ""; } = "";

    /// <summary>True when the noise can be repeated from a seed: nobody is protected.</summary>
    public bool Simulated { get; init; }

    /// <summary><c>client</c>, <c>example</c> or <c>client-participation</c>; null where nothing is guaranteed.</summary>
    public string? Unit { get; init; }

    /// <summary><c>zero-out</c>, <c>add-remove</c> or <c>replace-one</c>; null where nothing is guaranteed.</summary>
    public string? Adjacency { get; init; }

    /// <summary>By this run alone: <see cref="Inherited"/> comes on top.</summary>
    public GuaranteeMessage? Planned { get; init; }

    /// <summary>By this run alone: <see cref="Inherited"/> comes on top.</summary>
    public GuaranteeMessage? Spent { get; init; }

    /// <summary>True when the run's ledger cannot be read, and what was spent counts as all that was planned; null when it can.</summary>
    public bool? SpentUnknown { get; init; }

    /// <summary>What the version that the run was branched from had cost before; null in a run that is no branch.</summary>
    public InheritanceMessage? Inherited { get; init; }

    /// <summary>For readers: planned with what was inherited, ε and δ added up; null in a run that is no branch, and where nothing bounds both together.</summary>
    public GuaranteeMessage? TotalPlanned { get; init; }

    /// <summary>For readers: spent with what was inherited; null in a run that is no branch, and where nothing bounds both together.</summary>
    public GuaranteeMessage? TotalSpent { get; init; }

    /// <summary>What is left without the shuffling; null where nothing is shuffled, or nothing bounds it.</summary>
    public GuaranteeMessage? WithoutShuffling { get; init; }

    /// <summary>ε that may be spent, what was inherited included; 0 without a budget.</summary>
    public double EpsilonBudget { get; init; }

    public double Delta { get; init; }

    public double ClipNorm { get; init; }

    public bool ClipAdapts { get; init; }

    public double NoiseMultiplier { get; init; }

    /// <summary><c>none</c>, <c>poisson</c> or <c>fixed-size</c>.</summary>
    public string Sampling { get; init => field = value ?? ""; } = "none";

    /// <summary>ε₀ of one report; 0 where clients do not randomise.</summary>
    public double ReportEpsilon { get; init; }

    public int MinimumBatch { get; init; }

    public int AssumedCorrupt { get; init; }

    /// <summary>Participations that a client may have; 0 for any number.</summary>
    public int Cap { get; init; }

    public int Separation { get; init; }

    public int RestartEvery { get; init; }

    /// <summary>Releases that the run may make; 0 for any number.</summary>
    public int Releases { get; init; }

    public string Because { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<PartyMessage> Parties { get; init => field = Whole.Of(value); } = [];

    public IReadOnlyList<string> NotProtected { get; init => field = Whole.Of(value); } = [];

    public static StatementMessage Of(PrivacyStatement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        var (terms, limits) = (statement.Terms, statement.Terms.Limits);
        return new StatementMessage(statement.Policy, statement.Text)
        {
            Mechanism = terms.Mechanism,
            Simulated = statement.IsSimulated,
            Unit = terms.Relation is { } r ? Word(r.Unit) : null,
            Adjacency = terms.Relation is { } relation ? Word(relation.Adjacency) : null,
            Planned = GuaranteeMessage.Of(statement.Planned),
            Spent = GuaranteeMessage.Of(statement.Spent),
            SpentUnknown = statement.IsSpentUnknown ? true : null,
            Inherited = InheritanceMessage.Of(statement.Inherited),
            TotalPlanned = statement.Inherited is null ? null : GuaranteeMessage.Of(statement.TotalPlanned),
            TotalSpent = statement.Inherited is null ? null : GuaranteeMessage.Of(statement.TotalSpent),
            WithoutShuffling = GuaranteeMessage.Of(terms.WithoutShuffling),
            EpsilonBudget = terms.EpsilonBudget,
            Delta = terms.Delta,
            ClipNorm = terms.ClipNorm,
            ClipAdapts = terms.ClipAdapts,
            NoiseMultiplier = terms.NoiseMultiplier,
            Sampling = Word(terms.Sampling),
            ReportEpsilon = terms.ReportEpsilon,
            MinimumBatch = terms.MinimumBatch,
            AssumedCorrupt = terms.AssumedCorrupt,
            Cap = limits.Cap,
            Separation = limits.Separation,
            RestartEvery = limits.RestartEvery,
            Releases = limits.Releases,
            Because = limits.Because,
            Parties = [.. statement.Parties.Select(p => new PartyMessage(p.Party, p.Sees, p.IsTrusted))],
            NotProtected = statement.NotProtected,
        };
    }

    /// <summary>The statement that this says; its text is written anew, from the parts.</summary>
    /// <exception cref="FormatException">A word is none that this build knows.</exception>
    public PrivacyStatement ToStatement() => new()
    {
        Policy = Policy,
        IsSimulated = Simulated,
        Planned = Planned?.ToGuarantee(),
        Spent = Spent?.ToGuarantee(),
        IsSpentUnknown = SpentUnknown == true,
        Inherited = Inherited?.ToInheritance(),
        Parties = [.. Parties.Select(p => new StatementParty(p.Party, p.Sees, p.Trusted))],
        NotProtected = NotProtected,
        Terms = new PolicyTerms
        {
            Mechanism = Mechanism,
            Relation = Unit is null || Adjacency is null ? null : new NeighbourRelation(Read<PrivacyUnit>(Unit), Read<Adjacency>(Adjacency)),
            WithoutShuffling = WithoutShuffling?.ToGuarantee(),
            EpsilonBudget = EpsilonBudget,
            Delta = Delta,
            ClipNorm = ClipNorm,
            ClipAdapts = ClipAdapts,
            NoiseMultiplier = NoiseMultiplier,
            Sampling = Read<SamplingClaim>(Sampling),
            ReportEpsilon = ReportEpsilon,
            MinimumBatch = MinimumBatch,
            AssumedCorrupt = AssumedCorrupt,
            Limits = new ParticipationLimits { Cap = Cap, Separation = Separation, RestartEvery = RestartEvery, Releases = Releases, Because = Because },
        },
    };

    internal static string Word<TEnum>(TEnum value)
        where TEnum : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    internal static TEnum Read<TEnum>(string word)
        where TEnum : struct, Enum
    {
        foreach (var value in Enum.GetValues<TEnum>())
        {
            if (Word(value) == word)
            {
                return value;
            }
        }

        throw new FormatException($"'{word}' is none of {string.Join(", ", Enum.GetValues<TEnum>().Select(Word))}.");
    }
}

/// <param name="Party">Who.</param>
/// <param name="Sees">What reaches him.</param>
/// <param name="Trusted">Whether the guarantee fails when he is curious, or colludes.</param>
public sealed record PartyMessage(string Party, string Sees, bool Trusted);

/// <summary>A guarantee, with all that an ε is worth nothing without.</summary>
/// <param name="Unit"><c>client</c>, <c>example</c> or <c>client-participation</c>.</param>
/// <param name="Adjacency"><c>zero-out</c>, <c>add-remove</c> or <c>replace-one</c>.</param>
/// <param name="Trust"><c>central</c>, <c>silo</c>, <c>distributed</c>, <c>shuffle</c> or <c>local</c>.</param>
/// <param name="Epsilon">Null where no finite one holds.</param>
public sealed record GuaranteeMessage(double Delta, string Unit, string Adjacency, string Trust, string Accountant, IReadOnlyList<string> Assumptions, double? Epsilon = null)
{
    public IReadOnlyList<string> Assumptions { get; init; } = Whole.Of(Assumptions);

    public static GuaranteeMessage? Of(PrivacyGuarantee? guarantee) => guarantee is null ? null : new GuaranteeMessage(
        guarantee.Delta,
        StatementMessage.Word(guarantee.Relation.Unit),
        StatementMessage.Word(guarantee.Relation.Adjacency),
        StatementMessage.Word(guarantee.Trust),
        guarantee.Accountant,
        guarantee.Assumptions,
        double.IsFinite(guarantee.Epsilon) ? guarantee.Epsilon : null);

    /// <exception cref="FormatException">A word is none that this build knows.</exception>
    /// <exception cref="PrivacyException">A number is out of its range.</exception>
    public PrivacyGuarantee ToGuarantee() => new()
    {
        Epsilon = Epsilon ?? double.PositiveInfinity,
        Delta = Delta,
        Relation = new NeighbourRelation(StatementMessage.Read<PrivacyUnit>(Unit), StatementMessage.Read<Adjacency>(Adjacency)),
        Trust = StatementMessage.Read<TrustModel>(Trust),
        Accountant = Accountant,
        Assumptions = Assumptions,
    };
}

/// <summary>What a branch inherited.</summary>
/// <param name="Basis"><c>nothing</c>, <c>at-version</c>, <c>latest</c>, <c>planned</c>, <c>unbounded</c> or <c>unknown</c>.</param>
/// <param name="Guarantee">Null where there was no cost, and where nothing bounds it.</param>
public sealed record InheritanceMessage(string Run, int Version, string Basis, GuaranteeMessage? Guarantee = null)
{
    public static InheritanceMessage? Of(PrivacyInheritance? inherited) => inherited is null ? null : new InheritanceMessage(
        inherited.Run, inherited.Version, StatementMessage.Word(inherited.Basis), GuaranteeMessage.Of(inherited.Guarantee));

    /// <exception cref="FormatException">A word is none that this build knows.</exception>
    /// <exception cref="PrivacyException">A number is out of its range.</exception>
    public PrivacyInheritance ToInheritance() => new(Run, Version, StatementMessage.Read<InheritanceBasis>(Basis), Guarantee?.ToGuarantee());
}
