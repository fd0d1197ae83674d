using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// Anarchic federated learning: whoever asks gets the newest model at once, with no steps and no time set; every m-th update makes a
/// version.
/// </summary>
/// <remarks>
/// Yang, Zhang, Khanduri, Liu, "Anarchic Federated Learning", ICML 2022, Algorithms 1–3, https://arxiv.org/abs/2108.09875. Combine with
/// the aggregator <c>afa-cd</c> (mean of the m mean gradients; needs arrivals uniform over clients to be unbiased) or <c>afa-cs</c>
/// (mean over every client's latest mean gradient; m = 1, after a first version made of one update from everybody, is the paper's).
/// Deviation: none known; written from a description, see docs/algorithms.md. Cost: O(1) per event.
/// </remarks>
public sealed class AnarchicScheduler(AnarchicOptions options, IUpdateWeight weight) : IScheduler
{
    private readonly SortedSet<int> heard = []; // Until the first version.
    private int buffered;

    public string Name => Schedulers.Anarchic;

    public void OnAvailable(ISchedulingContext run, ClientId client) => run.Dispatch(client, LocalWork.ClientsChoice);

    public void OnUpdate(ISchedulingContext run, in ArrivedUpdate update)
    {
        run.Accept(update);
        run.Accumulate(update.Assignment, update.Report, weight.Weight(run, update.Assignment, update.Report, update.Staleness));
        buffered++;
        if (run.Version == 0)
        {
            heard.Add(update.Assignment.Client.Value);
        }

        if (buffered >= options.AggregationGoal && (run.Version > 0 || heard.Count >= options.InitialClients))
        {
            buffered = 0;
            heard.Clear();
            run.Publish();
        }

        GiveAgain(run, update.Assignment.Client);
    }

    public void OnEnded(ISchedulingContext run, Assignment assignment) => GiveAgain(run, assignment.Client);

    public void OnDeadline(ISchedulingContext run, long number)
    {
        // Sets no time.
    }

    public void OnFinishing(ISchedulingContext run)
    {
        // A partly filled buffer is discarded: a version is never made of fewer than m updates.
    }

    public WaitReason DescribeWait(ISchedulingContext run, ClientId client) => new(WaitKind.ForSlot, run.InFlight, run.ClientCount, double.PositiveInfinity);

    public void Save(BinaryWriter writer)
    {
        writer.Write(buffered);
        writer.Write(heard.Count);
        foreach (var client in heard)
        {
            writer.Write(client);
        }
    }

    public void Load(BinaryReader reader)
    {
        buffered = reader.ReadInt32();
        heard.Clear();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            heard.Add(reader.ReadInt32());
        }
    }

    private static void GiveAgain(ISchedulingContext run, ClientId client)
    {
        if (run.Available.Contains(client))
        {
            run.Dispatch(client, LocalWork.ClientsChoice);
        }
    }
}
