using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;

namespace Federated.Client.Privacy;

/// <summary>What a client has spent, by its own count: charged before an update is finished, so that no crash and no coordinator gives anything back.</summary>
/// <param name="Runs">In the order in which the client met them.</param>
public sealed record ClientLedger(IReadOnlyList<LedgerEntry> Runs)
{
    public static ClientLedger Empty { get; } = new([]);

    /// <summary>All runs together, by basic composition (ε and δ add up); ε is +∞ where one run has no bound.</summary>
    public (double Epsilon, double Delta) Total() => (Runs.Sum(run => run.Epsilon()), Math.Min(1, Runs.Where(run => run.Participations > 0).Sum(run => run.Delta)));

    /// <summary>The entry of a run; one that has cost nothing when there is none.</summary>
    public LedgerEntry Of(string coordinator, string run, string created) =>
        Runs.FirstOrDefault(entry => entry.Is(coordinator, run, created)) ?? new LedgerEntry(coordinator, run, created);

    /// <summary>The ledger with an entry in its place, or behind all others.</summary>
    public ClientLedger With(LedgerEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return Runs.Any(old => old.Is(entry.Coordinator, entry.Run, entry.Created))
            ? new([.. Runs.Select(old => old.Is(entry.Coordinator, entry.Run, entry.Created) ? entry : old)])
            : new([.. Runs, entry]);
    }
}

/// <summary>What one run has cost a client.</summary>
/// <param name="Coordinator">The coordinator's id.</param>
/// <param name="Run">The run's id.</param>
/// <param name="Created">When the run was created, as the coordinator tells it: a name may be given again.</param>
public sealed record LedgerEntry(string Coordinator, string Run, string Created)
{
    internal const long None = -1;

    /// <summary>Updates that were finished for it.</summary>
    public int Participations { get; init; }

    /// <summary>The assignment that was charged last, as long as nothing of it has left the device: repeated after a crash it is the same charge. −1 for none.</summary>
    public long LastAssignment { get; init; } = None;

    /// <summary>δ that the run's ε is stated at.</summary>
    public double Delta { get; init; }

    /// <summary>ε of the run as a whole, where the coordinator adds the noise; null for a run that guarantees nothing, or whose reports are charged one by one.</summary>
    public double? WholeEpsilon { get; init; }

    /// <summary>Of <see cref="Participations"/>, those that the coordinator says it has not used; only where it adds the noise.</summary>
    public int Refused { get; init; }

    /// <summary>Updates that went up without any guarantee.</summary>
    public int Unprotected { get; init; }

    /// <summary>Reports that this client randomised itself.</summary>
    public IReadOnlyList<ReportCharge> Reports { get; init => field = value ?? []; } = [];

    /// <summary>ε so far as it was computed when it was last charged, which takes an accountant a tenth of a second; null when it was not.</summary>
    public double? Known { get; init; }

    /// <summary>ε so far, at <see cref="Delta"/>: +∞ where something went up that nothing bounds.</summary>
    public double Epsilon() => Known ?? Composed();

    private double Composed()
    {
        if (Unprotected > 0)
        {
            return double.PositiveInfinity;
        }

        var reports = Reports.Count == 0 ? 0 : new PldAccountant().Epsilon(new ComposedEvent([.. Reports.Select(r => r.Event().Repeated(r.Count))]), Delta);
        return reports + (Participations > Reports.Sum(r => r.Count) ? WholeEpsilon ?? double.PositiveInfinity : 0);
    }

    internal bool Is(string coordinator, string run, string created) => Coordinator == coordinator && Run == run && Created == created;
}

/// <summary>Reports of one kind.</summary>
/// <param name="ReportEpsilon">ε₀ of each.</param>
/// <param name="Batch">Honest reports that it is shuffled among; 0 where it is not.</param>
/// <param name="Count">How many.</param>
public sealed record ReportCharge(double ReportEpsilon, int Batch, int Count)
{
    internal MechanismEvent Event() => Batch > 1
        ? new ShuffledEvent(PrivacyUnit.ClientParticipation, LocalRandomizer.Generic(ReportEpsilon), Batch)
        : new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, ReportEpsilon, 2);
}
