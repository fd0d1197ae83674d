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
    private readonly SlotFiller slots = new(options.Concurrency, steps);
    private int buffered;

    public string Name => Schedulers.Buffered;

    public void OnAvailable(ISchedulingContext run, ClientId client) => slots.FillSoon(run);

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        run.Accept(update);
        run.Accumulate(update.Assignment, update.Report, weight.Weight(run, update.Assignment, update.Report, update.Staleness));
        if (++buffered >= options.AggregationGoal)
        {
            buffered = 0;
            run.Publish();
        }

        slots.Fill(run); // After the publish, so that the replacement starts from the version this update completed.
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment) => slots.Fill(run);

    public void OnDeadline(ISchedulingContext run, long number) => slots.OnDeadline(run);

    public void OnFinishing(ISchedulingContext run)
    {
        if (options.FlushPartial && buffered > 0)
        {
            buffered = 0;
            run.Publish();
        }
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) => slots.DescribeWait(run);

    public void Save(BinaryWriter writer)
    {
        writer.Write(buffered);
        slots.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        buffered = reader.ReadInt32();
        slots.Load(reader);
    }
}
