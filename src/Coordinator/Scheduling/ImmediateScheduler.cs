using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>FedAsync: w ← (1 − α_t)·w + α_t·y_i with α_t = α·s(τ), at every arrival; a client that finishes is replaced at once.</summary>
/// <remarks>
/// Xie, Koyejo, Gupta, "Asynchronous Federated Optimization", 2019, Algorithm 1, https://arxiv.org/abs/1903.03934. α_t is computed from
/// the constant α each time. Deviation: the paper's scheduler thread triggers tasks at random times; here the number in flight is held
/// constant. Needs an aggregator that does not normalise, and a server optimizer of plain SGD with learning rate 1 to be the paper's rule.
/// Cost: O(1) per event, and O(d) to count the update against the current model, for which base versions in flight are kept.
/// </remarks>
public sealed class ImmediateScheduler(ImmediateOptions options, IStepPolicy steps, IUpdateWeight weight) : IScheduler
{
    private readonly SlotFiller slots = new(options.Concurrency, steps);

    public string Name => Schedulers.Immediate;

    public void OnAvailable(ISchedulingContext run, ClientId client) => slots.FillSoon(run);

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        run.Accept(update);
        run.Accumulate(update.Assignment, update.Report, options.Mixing * weight.Staleness(update.Staleness), DeltaBasis.CurrentVersion);
        run.Publish();
        slots.Fill(run);
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment) => slots.Fill(run);

    public void OnDeadline(ISchedulingContext run, long number) => slots.OnDeadline(run);

    public void OnFinishing(ISchedulingContext run)
    {
        // Nothing is ever buffered.
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) => slots.DescribeWait(run);

    public void Save(BinaryWriter writer) => slots.Save(writer);

    public void Load(BinaryReader reader) => slots.Load(reader);
}
