using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Scheduling;

/// <summary>Keeps a constant number of clients in flight, drawn uniformly from those that wait (the demand control of Papaya).</summary>
/// <remarks>
/// Huba et al., "Papaya: Practical, Private, and Scalable Federated Learning", MLSys 2022, §5, https://arxiv.org/abs/2111.04877:
/// demand = concurrency − in flight, replenished whenever a client finishes, fails or times out.
/// </remarks>
internal sealed class SlotFiller(int concurrency, IStepPolicy steps)
{
    private const long FillDeadline = 0;

    private bool filling;

    /// <summary>Fills free places once all check-ins of this instant are in, so that the first to ask are not always the ones chosen.</summary>
    public void FillSoon(ISchedulingContext run)
    {
        if (!filling && run.InFlight < concurrency)
        {
            filling = true;
            run.Arm(FillDeadline, run.Now);
        }
    }

    public void Fill(ISchedulingContext run)
    {
        while (run.InFlight < concurrency && run.Available.Count > 0)
        {
            var client = run.Available.Draw(run.Random);
            run.Dispatch(client, steps.WorkFor(run, client));
        }
    }

    public void OnDeadline(ISchedulingContext run)
    {
        filling = false;
        Fill(run);
    }

    public WaitReason DescribeWait(ISchedulingContext run) => new(WaitKind.ForSlot, run.InFlight, concurrency, double.PositiveInfinity);

    public void Save(BinaryWriter writer) => writer.Write(filling);

    public void Load(BinaryReader reader) => filling = reader.ReadBoolean();
}
