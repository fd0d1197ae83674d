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
    private readonly Round round = new();
    private readonly int invited = (int)Math.Ceiling(options.Cohort * (1 + options.OverSelection));
    private readonly int minimum = options.MinimumReports == 0 ? options.Cohort : options.MinimumReports;
    private readonly List<ClientId> cohort = []; // For watchers only: everybody who was invited to the open round.
    private double opened = double.NaN;

    public string Name => Schedulers.Synchronous;

    public ISchedulerWatcher? Watcher { get; set; }

    public void OnAvailable(ISchedulingContext run, ClientId client) => Proceed(run);

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        round.Ended(update.Assignment);
        run.Accept(update);
        run.Accumulate(update.Assignment, update.Report, weight.Weight(run, update.Assignment, update.Report, update.Staleness));
        round.Reports++;
        Tell();
        Proceed(run);
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment)
    {
        round.Ended(assignment);
        Proceed(run);
    }

    public void OnDeadline(ISchedulingContext run, long number)
    {
        switch (round.OnDeadline(number))
        {
            case Round.Passed.Opening when run.Available.Count >= invited: OpenRound(run); break;
            case Round.Passed.End: Proceed(run); break;
        }
    }

    public void OnFinishing(ISchedulingContext run)
    {
        // An unfinished round is discarded: a version is always a whole round.
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) => round.IsOpen
        ? new WaitReason(WaitKind.ForReports, round.Reports, options.Cohort, round.End)
        : new WaitReason(WaitKind.ForClients, run.Available.Count, invited, double.PositiveInfinity);

    public void Save(BinaryWriter writer) => round.Save(writer);

    public void Load(BinaryReader reader) => round.Load(reader);

    private void Proceed(ISchedulingContext run)
    {
        if (!round.IsOpen)
        {
            AskToOpen(run);
        }
        else if (round.Reports >= options.Cohort || (round.Reports >= minimum && (round.IsOverdue || round.Outstanding == 0)))
        {
            Close(run);
        }
        else if (round.IsOverdue || round.Outstanding == 0 || round.Reports + round.Outstanding < minimum)
        {
            Invite(run, minimum - round.Reports - round.Outstanding); // As many as the round still lacks to its minimum.
        }
    }

    /// <summary>Draws the cohort once all check-ins of this instant, or of the window, are in.</summary>
    private void AskToOpen(ISchedulingContext run)
    {
        if (run.Available.Count >= invited)
        {
            round.AskToOpen(run, options.SelectionWindow);
        }
    }

    private void OpenRound(ISchedulingContext run)
    {
        round.Open(run, options.RoundDeadline);
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
                Invite(run, new ClientId(id));
            }
        }
        else
        {
            for (; count > 0; count--)
            {
                Invite(run, run.Available.Draw(run.Random));
            }
        }

        Tell();
    }

    private void Invite(ISchedulingContext run, ClientId client)
    {
        round.Invite(run, client, steps.WorkFor(run, client));
        if (Watcher is not null)
        {
            cohort.Add(client);
        }
    }

    private void Close(ISchedulingContext run)
    {
        var version = round.Close(run);
        Tell(run.Now, version);
        AskToOpen(run);
    }

    private void Tell(double closed = double.NaN, int version = 0) =>
        Watcher?.OnGroup(new GroupFact(round.Number, opened, double.NaN, round.End, closed, [.. cohort], round.Reports, version));
}
