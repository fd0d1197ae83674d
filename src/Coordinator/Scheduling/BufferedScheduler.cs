using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// Buffered asynchronous aggregation: M_c clients train at any time; every K-th accepted update publishes a version; a client that
/// finishes is replaced at once, by one that starts from the newest version.
/// </summary>
/// <remarks>
/// Nguyen, Malik, Zhan, Yousefpour, Rabbat, Malek, Huba, "Federated Learning with Buffered Asynchronous Aggregation" (FedBuff),
/// AISTATS 2022, Algorithm 1, https://arxiv.org/abs/2106.06639.
/// Deviation: none in the loop; the division by K or by the weights' sum is the aggregator's normalisation. With i.i.d. durations the
/// mean staleness of accepted updates is (M_c − 1)/K whatever their distribution.
/// Cost: O(1) per event.
/// </remarks>
public sealed class BufferedScheduler(BufferedOptions options, IStepPolicy steps, IUpdateWeight weight) : IScheduler
{
    private const long FillDeadline = 0;

    private int buffered;
    private bool filling;

    public string Name => Schedulers.Buffered;

    /// <summary>Fills free places once all check-ins of this instant are in, so that the first to ask are not always the ones chosen.</summary>
    public void OnAvailable(ISchedulingContext run, ClientId client)
    {
        if (!filling && run.InFlight < options.Concurrency)
        {
            filling = true;
            run.Arm(FillDeadline, run.Now);
        }
    }

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        run.Accept(update);
        run.Accumulate(update.Assignment, update.Report, weight.Weight(run, update.Assignment, update.Report, update.Staleness));
        if (++buffered >= options.AggregationGoal)
        {
            buffered = 0;
            run.Publish();
        }

        Fill(run); // After the publish, so that the replacement starts from the version this update completed.
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment) => Fill(run);

    public void OnDeadline(ISchedulingContext run, long number)
    {
        filling = false;
        Fill(run);
    }

    public void OnFinishing(ISchedulingContext run)
    {
        if (options.FlushPartial && buffered > 0)
        {
            buffered = 0;
            run.Publish();
        }
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) =>
        new(WaitKind.ForSlot, run.InFlight, options.Concurrency, double.PositiveInfinity);

    public void Save(BinaryWriter writer)
    {
        writer.Write(buffered);
        writer.Write(filling);
    }

    public void Load(BinaryReader reader)
    {
        buffered = reader.ReadInt32();
        filling = reader.ReadBoolean();
    }

    private void Fill(ISchedulingContext run)
    {
        while (run.InFlight < options.Concurrency && run.Available.Count > 0)
        {
            var client = run.Available.Draw(run.Random);
            run.Dispatch(client, steps.WorkFor(run, client));
        }
    }
}
