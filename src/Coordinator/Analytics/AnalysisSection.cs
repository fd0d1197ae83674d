using System.Collections.Immutable;
using System.Globalization;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Privacy;
using Federated.Privacy.Analytics;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Privacy.Local.Frequencies.Poisoning;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Analytics;

/// <summary>
/// What an analysis keeps beside its estimate: the secret that clients' coins are tossed with, whether anybody has reported, and the last result for whoever
/// shows it. A crash tosses the same coins again.
/// </summary>
/// <param name="analysis">The question.</param>
/// <param name="key">A fresh secret; the stored one takes its place when the run is restored.</param>
/// <param name="statement">What the run says of itself.</param>
public sealed class AnalysisSection(PrivateAnalysis analysis, byte[] key, PrivacyStatement statement) : IRunSection, IPrivacyLedger, IAnalysisOutcome
{
    private const int Form = 1;

    private byte[] key = key;
    private volatile AssignedSeeds seeds = new(key);
    private volatile AnalysisOutcome? outcome;
    private readonly SortedSet<int> charged = [];
    private volatile ImmutableList<SpentAt> course = [];
    private volatile bool reported;

    public string Name => "analysis";

    public bool HoldsSecret => true;

    public PrivacyGuarantee? Planned { get; } = statement.Planned;

    public PrivacyGuarantee? Spent => reported ? Planned : null;

    public AnalysisOutcome? Outcome => outcome;

    /// <summary>The public coin of a client: its group and its hash seed come from it. May be asked on any thread.</summary>
    public ulong Coin(ClientId client) => seeds.Seed(client.Value.ToString(CultureInfo.InvariantCulture), 0);

    private int GroupOf(ClientId client) => Ticket.OfCoin(Coin(client), analysis.Groups).Group;

    /// <summary>
    /// The ticket of a report. A shuffled one has come on the assignment of some client of its batch, all of which are of one group; its seed is its own.
    /// </summary>
    internal Ticket TicketOf(ClientId client, ReadOnlySpan<byte> report) => statement.Policy == PrivacyPolicies.Shuffle
        ? PrivateAnalysis.OwnTicket(GroupOf(client), report)
        : Ticket.OfCoin(Coin(client), analysis.Groups);

    internal void Show(AnalysisOutcome found) => outcome = found;

    /// <summary>From 0 to ε at the first version: nobody reports twice.</summary>
    public IReadOnlyList<SpentAt> Course => course;

    public int ClientsCharged => charged.Count;

    public IReadOnlyList<ClientSpending> Nearest(int count) => [.. charged.Take(count).Select(client => new ClientSpending(client, 1, Planned!.Epsilon))];

    public PrivacyGuarantee? SpentBy(int client) => charged.Contains(client) ? Planned : null;

    /// <summary>Charges every report that arrived: it has been seen, whatever became of it.</summary>
    public void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        foreach (var arrived in logged.Event switch { UpdateArrived one => [one], GroupArrived group => group.Members, _ => (ImmutableArray<UpdateArrived>)[] })
        {
            charged.Add(arrived.Client.Value);
            reported = true;
        }

        if (course.Count == 0 && effects.OfType<Publish>().FirstOrDefault() is { } first)
        {
            course = [new SpentAt(first.Version, Planned!.Epsilon)];
        }
    }

    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Form);
        writer.Write(key);
        writer.Write(course.Count > 0 ? course[0].Version : 0);
        writer.Write(charged.Count);
        foreach (var client in charged)
        {
            writer.Write(client);
        }
    }

    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        if (reader.ReadInt32() is var form && form != Form)
        {
            throw new CoordinatorException($"This build reads analyses of form {Form}; this one has form {form}. Use the build that wrote it.");
        }

        key = reader.ReadBytes(AssignedSeeds.KeyBytes);
        seeds = new AssignedSeeds(key);
        course = reader.ReadInt32() is > 0 and var version ? [new SpentAt(version, Planned!.Epsilon)] : [];
        charged.Clear();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            charged.Add(reader.ReadInt32());
        }

        reported = charged.Count > 0;
    }
}

/// <summary>What an analysis has found so far, for whoever shows it. May be read on any thread.</summary>
public interface IAnalysisOutcome
{
    /// <summary>Of the version published last; null before the first.</summary>
    AnalysisOutcome? Outcome { get; }
}

/// <summary>An analysis at a version.</summary>
/// <param name="Options">The question.</param>
/// <param name="Result">The estimates; null where the reports do not suffice.</param>
/// <param name="Malformed">Reports that were none.</param>
/// <param name="Problem">Why there are no estimates; empty where there are.</param>
public sealed record AnalysisOutcome(AnalysisOptions Options, AnalysisResult? Result, long Malformed, string Problem)
{
    /// <summary>As people read it.</summary>
    public AnalysisMessage ToMessage() => new(PrivateAnalysis.Create(Options).Kind, Options.Question, Result?.Reports ?? 0, Malformed, Options.Confidence)
    {
        Estimates = [.. (Result?.Estimates ?? []).Select(e => new EstimateMessage(e.Name, e.Value, e.Low, e.High))],
        Notes = Result?.Notes ?? [Problem],
    };
}
