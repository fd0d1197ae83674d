using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// FedFix: at fixed times n·Δt the server merges everything that arrived in the window, and only then do those clients start again, all
/// from the same new version.
/// </summary>
/// <remarks>
/// Fraboni, Vidal, Kameni, Lorenzi, "A General Theory for Federated Optimization with Asynchronous and Heterogeneous Clients Updates",
/// JMLR 2023, §4.4, https://arxiv.org/abs/2206.10189. With <see cref="ParticipationWeight"/> the weights are the paper's ⌈T_i/Δt⌉·p_i.
/// Deviation: an empty window publishes nothing, so that versions count aggregates and not ticks. Everybody who waits trains; there is no
/// bound on concurrency. Cost: O(waiting clients) per window.
/// </remarks>
public sealed class FixedWindowScheduler(FixedWindowOptions options, IStepPolicy steps, IUpdateWeight weight) : IScheduler
{
    private readonly List<ArrivedUpdate> window = [];
    private long tick;
    private bool ticking;

    public string Name => Schedulers.FixedWindow;

    public IEnumerable<ArrivedUpdate> Held => window;

    public void OnAvailable(ISchedulingContext run, ClientId client)
    {
        if (!ticking)
        {
            ticking = true;
            tick = (long)Math.Floor(run.Now / options.Window);
            run.Arm(tick, run.Now); // The first window opens when the check-ins of this instant are in.
        }
    }

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        run.Accept(update);
        window.Add(update);
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment)
    {
        // Whoever is available again starts at the next tick, like everybody.
    }

    public void OnDeadline(ISchedulingContext run, long number)
    {
        if (window.Count > 0)
        {
            foreach (var update in window)
            {
                var staleness = run.Version - update.Assignment.BaseVersion;
                run.Accumulate(update.Assignment, update.Report, weight.Weight(run, update.Assignment, update.Report, staleness));
            }

            window.Clear();
            run.Publish();
        }

        while (run.Available.Count > 0)
        {
            var client = run.Available.Draw(run.Random);
            run.Dispatch(client, steps.WorkFor(run, client));
        }

        tick++;
        run.Arm(tick, tick * options.Window);
    }

    public void OnFinishing(ISchedulingContext run)
    {
        // The open window is discarded, as its time has not come.
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) =>
        new(WaitKind.ForWindow, window.Count, run.ClientCount, ticking ? tick * options.Window : double.PositiveInfinity);

    public void Save(BinaryWriter writer)
    {
        writer.Write(tick);
        writer.Write(ticking);
        writer.Write(window.Count);
        foreach (var update in window)
        {
            writer.WriteUpdate(update);
        }
    }

    public void Load(BinaryReader reader)
    {
        tick = reader.ReadInt64();
        ticking = reader.ReadBoolean();
        window.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            window.Add(reader.ReadUpdate());
        }
    }
}
