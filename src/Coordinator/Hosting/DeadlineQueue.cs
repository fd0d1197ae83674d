using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Hosting;

/// <summary>The deadlines a run has armed, soonest first, equal times in the order of arming. Those that no longer matter are dropped when they outnumber the rest.</summary>
internal sealed class DeadlineQueue
{
    private const int AlwaysKept = 1024;

    private PriorityQueue<Deadline, (double Time, long Order)> queue = new();
    private long order;
    private int compactAt = AlwaysKept;

    /// <summary>When the soonest passes; +∞ for none.</summary>
    public double Next => queue.TryPeek(out _, out var due) ? due.Time : double.PositiveInfinity;

    public void Arm(ArmDeadline effect) => queue.Enqueue(effect.Deadline, (effect.Time, order++));

    public void Clear() => queue.Clear();

    /// <summary>Takes the soonest out if it has passed.</summary>
    public bool TryTake(double now, out Deadline deadline)
    {
        if (queue.TryPeek(out deadline, out var due) && due.Time <= now)
        {
            queue.Dequeue();
            return true;
        }

        return false;
    }

    /// <summary>Drops those that do not matter, when there are many.</summary>
    public void Compact(RunMachine machine)
    {
        if (queue.Count < compactAt)
        {
            return;
        }

        var kept = new PriorityQueue<Deadline, (double Time, long Order)>();
        foreach (var (deadline, due) in queue.UnorderedItems)
        {
            if (machine.Matters(deadline))
            {
                kept.Enqueue(deadline, due);
            }
        }

        queue = kept;
        compactAt = Math.Max(AlwaysKept, 2 * kept.Count);
    }
}
