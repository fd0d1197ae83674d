using Federated.Simulation.Engine;
using Federated.Simulation.Results;

namespace Federated.Simulation.Reports;

/// <summary>
/// Keeps what a report shows, in bounded memory: every evaluation up to a few thousand, the first assignments for the timeline, counts
/// of staleness and of outcomes, and two numbers per client.
/// </summary>
public sealed class ReportCollector : ISimulationObserver
{
    /// <summary>Assignments in the timeline.</summary>
    public const int MostSegments = 700;

    /// <summary>Staleness counted one by one; what is above is counted together.</summary>
    public const int MostStaleness = 1024;

    private const int MostEvaluations = 4096;

    private readonly List<MetricsRow> evaluations = [];
    private readonly List<UpdateRow> segments = [];
    private readonly List<double> publishes = [];
    private readonly long[] staleness = new long[MostStaleness + 1];
    private readonly Dictionary<(UpdateOutcome, string), long> outcomes = [];
    private readonly List<int> acceptedOf = [];
    private int stride = 1;
    private int sinceKept;
    private MetricsRow? latest;

    /// <summary>Evaluations in order; of very many every 2ᵏ-th, and always the last.</summary>
    public IReadOnlyList<MetricsRow> Evaluations =>
        latest is null || (evaluations.Count > 0 && ReferenceEquals(evaluations[^1], latest)) ? evaluations : [.. evaluations, latest];

    /// <summary>The assignments that ended first.</summary>
    public IReadOnlyList<UpdateRow> Segments => segments;

    /// <summary>Virtual times of the first publishes.</summary>
    public IReadOnlyList<double> Publishes => publishes;

    /// <summary>Accepted updates by staleness τ; the last entry holds all from <see cref="MostStaleness"/> on.</summary>
    public ReadOnlySpan<long> Staleness => staleness;

    /// <summary>Assignments by how they ended and why.</summary>
    public IReadOnlyDictionary<(UpdateOutcome Outcome, string Reason), long> Outcomes => outcomes;

    /// <summary>Accepted updates of each client; clients beyond the end have none.</summary>
    public IReadOnlyList<int> AcceptedOf => acceptedOf;

    public void OnEvaluation(MetricsRow row)
    {
        latest = row;
        if (++sinceKept < stride && evaluations.Count > 0)
        {
            return;
        }

        sinceKept = 0;
        evaluations.Add(row);
        if (evaluations.Count == MostEvaluations)
        {
            for (var i = 0; i < MostEvaluations / 2; i++)
            {
                evaluations[i] = evaluations[2 * i];
            }

            evaluations.RemoveRange(MostEvaluations / 2, MostEvaluations / 2);
            stride *= 2;
            // The row kept last was just dropped: the next one is due a stride after the one before it.
            sinceKept = stride / 2;
        }
    }

    public void OnVersion(in VersionPublished version)
    {
        if (publishes.Count < MostSegments)
        {
            publishes.Add(version.VirtualSeconds);
        }
    }

    public void OnUpdate(in UpdateRow row)
    {
        var key = (row.Outcome, row.Reason);
        outcomes[key] = outcomes.GetValueOrDefault(key) + 1;
        if (segments.Count < MostSegments)
        {
            segments.Add(row);
        }

        if (row.Outcome != UpdateOutcome.Accepted)
        {
            return;
        }

        staleness[Math.Clamp(row.Staleness, 0, MostStaleness)]++;
        while (acceptedOf.Count <= row.Client)
        {
            acceptedOf.Add(0);
        }

        acceptedOf[row.Client]++;
    }
}
