using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// Rounds by independent coins: every client that is there takes part with probability q, so that cohorts differ in size and may be empty.
/// A version is published for each round all the same, whoever came.
/// </summary>
/// <remarks>
/// McMahan, Ramage, Talwar, Zhang, "Learning Differentially Private Recurrent Language Models", ICLR 2018, Algorithm 1,
/// https://arxiv.org/abs/1710.06963. Who drops out is not replaced and nobody is invited in excess, or the coins would not be independent; a
/// client that is away takes part with less than q. Secrecy of the coins is the host's: they come from the run's seed.
/// Deviation: none. Cost: one draw per waiting client and round.
/// </remarks>
public sealed class PoissonScheduler(PoissonOptions options, IStepPolicy steps, IUpdateWeight weight) : IScheduler
{
    private const long OpenRoundKind = 0, RoundEndKind = 1;

    private readonly HashSet<long> outstanding = [];
    private long round;
    private bool open, opening, overdue;
    private int reports, drawn;
    private double roundEnd = double.PositiveInfinity;

    public string Name => Schedulers.Poisson;

    public void OnAvailable(ISchedulingContext run, ClientId client) => AskToOpen(run);

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        outstanding.Remove(update.Assignment.Id.Value);
        run.Accept(update);
        run.Accumulate(update.Assignment, update.Report, weight.Weight(run, update.Assignment, update.Report, update.Staleness));
        reports++;
        CloseIfDone(run);
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment)
    {
        outstanding.Remove(assignment.Id.Value);
        CloseIfDone(run);
    }

    public void OnDeadline(ISchedulingContext run, long number)
    {
        var (kind, ofRound) = (number & 1, number >> 1);
        if (kind == OpenRoundKind && opening)
        {
            opening = false;
            OpenRound(run);
        }
        else if (kind == RoundEndKind && open && ofRound == round)
        {
            overdue = true;
            CloseIfDone(run);
        }
    }

    public void OnFinishing(ISchedulingContext run)
    {
        // An unfinished round is discarded: a version is always a whole round.
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) => open
        ? new WaitReason(WaitKind.ForReports, reports, drawn, roundEnd)
        : new WaitReason(WaitKind.ForClients, run.Available.Count, 1, double.PositiveInfinity);

    public void Save(BinaryWriter writer)
    {
        writer.Write(round);
        writer.Write(open);
        writer.Write(opening);
        writer.Write(overdue);
        writer.Write(reports);
        writer.Write(drawn);
        writer.Write(roundEnd);
        writer.Write(outstanding.Count);
        foreach (var id in outstanding.Order())
        {
            writer.Write(id);
        }
    }

    public void Load(BinaryReader reader)
    {
        round = reader.ReadInt64();
        open = reader.ReadBoolean();
        opening = reader.ReadBoolean();
        overdue = reader.ReadBoolean();
        reports = reader.ReadInt32();
        drawn = reader.ReadInt32();
        roundEnd = reader.ReadDouble();
        outstanding.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            outstanding.Add(reader.ReadInt64());
        }
    }

    /// <summary>Throws the coins once all check-ins of this instant are in.</summary>
    private void AskToOpen(ISchedulingContext run)
    {
        if (!open && !opening && run.Available.Count > 0)
        {
            opening = true;
            run.Arm((round << 1) | OpenRoundKind, run.Now);
        }
    }

    private void OpenRound(ISchedulingContext run)
    {
        if (run.Available.Count == 0)
        {
            return;
        }

        round++;
        (open, overdue, reports, drawn) = (true, false, 0, 0);
        roundEnd = options.RoundDeadline > 0 ? run.Now + options.RoundDeadline : double.PositiveInfinity;
        if (double.IsFinite(roundEnd))
        {
            run.Arm((round << 1) | RoundEndKind, roundEnd);
        }

        // Ascending ids: each client's coin is the same whatever order they checked in.
        foreach (var client in Enumerable.Range(0, run.Available.Count).Select(i => run.Available[i]).OrderBy(c => c.Value).ToList())
        {
            if (run.Random.NextDouble() < options.Probability)
            {
                outstanding.Add(run.Dispatch(client, steps.WorkFor(run, client)).Id.Value);
                drawn++;
            }
        }

        CloseIfDone(run);
    }

    private void CloseIfDone(ISchedulingContext run)
    {
        if (!open || (outstanding.Count > 0 && !overdue))
        {
            return;
        }

        open = false;
        foreach (var id in outstanding.Order().ToList())
        {
            run.Abandon(new AssignmentId(id), Rejection.RoundClosed, $"round {round} closed with {reports} updates");
        }

        outstanding.Clear();
        run.Publish();
        AskToOpen(run);
    }
}
