using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// Synchronous rounds: draw a cohort uniformly, let it train from the current version, publish when its updates are in.
/// </summary>
/// <remarks>
/// McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized Data",
/// AISTATS 2017, Algorithm 1, https://arxiv.org/abs/1602.05629; over-selection, deadline and minimum reports as in Bonawitz et al.,
/// "Towards Federated Learning at Scale: System Design", MLSys 2019, §2.2, https://arxiv.org/abs/1902.01046.
/// Deviation: members that drop out while the round cannot be completed without them are replaced, so that a round never fails; with a
/// deadline this happens only once it has passed with fewer than the minimum reports.
/// Cost: O(cohort) per round.
/// </remarks>
public sealed class SynchronousScheduler(SynchronousOptions options, IStepPolicy steps, IUpdateWeight weight) : IScheduler, IWatchableScheduler
{
    private const long OpenRoundKind = 0, RoundEndKind = 1;

    private readonly HashSet<long> outstanding = [];
    private readonly int invited = (int)Math.Ceiling(options.Cohort * (1 + options.OverSelection));
    private readonly int minimum = options.MinimumReports == 0 ? options.Cohort : options.MinimumReports;
    private long round;
    private bool open, opening, overdue;
    private int reports;
    private double roundEnd = double.PositiveInfinity;
    private double opened = double.NaN;
    private readonly List<ClientId> cohort = []; // For watchers only, as when it opened.

    public string Name => Schedulers.Synchronous;

    public ISchedulerWatcher? Watcher { get; set; }

    public void OnAvailable(ISchedulingContext run, ClientId client) => Proceed(run);

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        outstanding.Remove(update.Assignment.Id.Value);
        run.Accept(update);
        run.Accumulate(update.Assignment, update.Report, weight.Weight(run, update.Assignment, update.Report, update.Staleness));
        reports++;
        Tell();
        Proceed(run);
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment)
    {
        outstanding.Remove(assignment.Id.Value);
        Proceed(run);
    }

    public void OnDeadline(ISchedulingContext run, long number)
    {
        var (kind, ofRound) = (number & 1, number >> 1);
        if (kind == OpenRoundKind && opening)
        {
            opening = false;
            if (run.Available.Count >= invited)
            {
                OpenRound(run);
            }
        }
        else if (kind == RoundEndKind && open && ofRound == round)
        {
            overdue = true;
            Proceed(run);
        }
    }

    public void OnFinishing(ISchedulingContext run)
    {
        // An unfinished round is discarded: a version is always a whole round.
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) => open
        ? new WaitReason(WaitKind.ForReports, reports, options.Cohort, roundEnd)
        : new WaitReason(WaitKind.ForClients, run.Available.Count, invited, double.PositiveInfinity);

    public void Save(BinaryWriter writer)
    {
        writer.Write(round);
        writer.Write(open);
        writer.Write(opening);
        writer.Write(overdue);
        writer.Write(reports);
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
        roundEnd = reader.ReadDouble();
        outstanding.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            outstanding.Add(reader.ReadInt64());
        }
    }

    private void Proceed(ISchedulingContext run)
    {
        if (!open)
        {
            AskToOpen(run);
        }
        else if (reports >= options.Cohort || (reports >= minimum && (overdue || outstanding.Count == 0)))
        {
            Close(run);
        }
        else if (overdue || outstanding.Count == 0 || reports + outstanding.Count < minimum)
        {
            Replace(run);
        }
    }

    /// <summary>Draws the cohort once all check-ins of this instant, or of the window, are in.</summary>
    private void AskToOpen(ISchedulingContext run)
    {
        if (!opening && run.Available.Count >= invited)
        {
            opening = true;
            run.Arm((round << 1) | OpenRoundKind, run.Now + options.SelectionWindow);
        }
    }

    private void OpenRound(ISchedulingContext run)
    {
        round++;
        (open, overdue, reports) = (true, false, 0);
        roundEnd = options.RoundDeadline > 0 ? run.Now + options.RoundDeadline : double.PositiveInfinity;
        if (double.IsFinite(roundEnd))
        {
            run.Arm((round << 1) | RoundEndKind, roundEnd);
        }

        opened = run.Now;
        cohort.Clear();
        Invite(run, invited);
    }

    private void Invite(ISchedulingContext run, int count)
    {
        if (count >= run.Available.Count)
        {
            // Everybody is invited: nothing to draw, and assignment ids (so tasks' seeds) do not depend on who came first.
            foreach (var id in Enumerable.Range(0, run.Available.Count).Select(i => run.Available[i].Value).Order().ToList())
            {
                var client = new ClientId(id);
                outstanding.Add(run.Dispatch(client, steps.WorkFor(run, client)).Id.Value);
            }

            return;
        }

        for (; count > 0 && run.Available.Count > 0; count--)
        {
            var client = run.Available.Draw(run.Random);
            outstanding.Add(run.Dispatch(client, steps.WorkFor(run, client)).Id.Value);
            cohort.Add(client);
        }

        Tell();
    }

    /// <summary>Invites as many as the round still lacks to its minimum.</summary>
    private void Replace(ISchedulingContext run) => Invite(run, minimum - reports - outstanding.Count);

    private void Close(ISchedulingContext run)
    {
        open = false;
        foreach (var id in outstanding.Order().ToList())
        {
            run.Abandon(new AssignmentId(id), Rejection.RoundClosed, $"round {round} closed with {reports} updates");
        }

        outstanding.Clear();
        var version = run.Publish();
        Tell(run.Now, version);
        AskToOpen(run);
    }

    private void Tell(double closed = double.NaN, int version = 0) =>
        Watcher?.OnGroup(new GroupFact(round, opened, double.NaN, roundEnd, closed, [.. cohort], reports, version));
}
