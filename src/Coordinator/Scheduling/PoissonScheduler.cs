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
    private readonly Round round = new();

    public string Name => Schedulers.Poisson;

    public void OnAvailable(ISchedulingContext run, ClientId client) => AskToOpen(run);

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        round.Ended(update.Assignment);
        run.Accept(update);
        run.Accumulate(update.Assignment, update.Report, weight.Weight(run, update.Assignment, update.Report, update.Staleness));
        round.Reports++;
        CloseIfDone(run);
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment)
    {
        round.Ended(assignment);
        CloseIfDone(run);
    }

    public void OnDeadline(ISchedulingContext run, long number)
    {
        switch (round.OnDeadline(number))
        {
            case Round.Passed.Opening: OpenRound(run); break;
            case Round.Passed.End: CloseIfDone(run); break;
        }
    }

    public void OnFinishing(ISchedulingContext run)
    {
        // An unfinished round is discarded: a version is always a whole round.
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) => round.IsOpen
        ? new WaitReason(WaitKind.ForReports, round.Reports, round.Reports + round.Outstanding, round.End)
        : new WaitReason(WaitKind.ForClients, run.Available.Count, 1, double.PositiveInfinity);

    public void Save(BinaryWriter writer) => round.Save(writer, withDrawn: true);

    public void Load(BinaryReader reader) => round.Load(reader, withDrawn: true);

    /// <summary>Throws the coins once all check-ins of this instant are in.</summary>
    private void AskToOpen(ISchedulingContext run)
    {
        if (run.Available.Count > 0)
        {
            round.AskToOpen(run, 0);
        }
    }

    private void OpenRound(ISchedulingContext run)
    {
        if (run.Available.Count == 0)
        {
            return;
        }

        round.Open(run, options.RoundDeadline);

        // Ascending ids: each client's coin is the same whatever order they checked in.
        foreach (var client in Enumerable.Range(0, run.Available.Count).Select(i => run.Available[i]).OrderBy(c => c.Value).ToList())
        {
            if (run.Random.NextDouble() < options.Probability)
            {
                round.Invite(run, client, steps.WorkFor(run, client));
            }
        }

        CloseIfDone(run);
    }

    private void CloseIfDone(ISchedulingContext run)
    {
        if (round.IsOpen && (round.Outstanding == 0 || round.IsOverdue))
        {
            round.Close(run);
            AskToOpen(run);
        }
    }
}
