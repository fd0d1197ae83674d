using Federated.Coordinator.Runs;

namespace Federated.Simulation.Clock;

/// <summary>
/// The future of a simulation: events in virtual time, taken in the order (time, clients before timers, first posted first). That order
/// is part of the results: golden traces of asynchronous schedulers depend on it.
/// </summary>
/// <remarks>
/// A 4-ary implicit heap over structs: half the depth of a binary heap, and the four children of a node share two cache lines.
/// Cost: O(log₄ n) per operation, 32 B per event, no allocation once grown.
/// </remarks>
public sealed class EventQueue
{
    private const int Arity = 4;

    private TimedEvent[] heap = new TimedEvent[64];
    private ulong sequence;

    public int Count { get; private set; }

    /// <summary>The time of the event taken last, in seconds: the virtual clock.</summary>
    public double Now { get; private set; }

    /// <summary>Posts what a client will do.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is before <see cref="Now"/>, or not a number.</exception>
    public void Post(double time, EventKind kind, int client, long number) => Push(time, kind, client, number, default);

    /// <summary>Posts a timer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is before <see cref="Now"/>, or not a number.</exception>
    public void Post(double time, Deadline deadline) => Push(time, EventKind.Deadline, -1, deadline.Number, deadline.Kind);

    /// <summary>Takes the next event and advances the clock to it; false when nothing is left.</summary>
    public bool TryTake(out TimedEvent next)
    {
        if (Count == 0)
        {
            next = default;
            return false;
        }

        next = heap[0];
        Now = next.Time;
        var last = heap[--Count];
        if (Count > 0)
        {
            SiftDown(last);
        }

        return true;
    }

    private void Push(double time, EventKind kind, int client, long number, DeadlineKind deadline)
    {
        if (!(time >= Now))
        {
            throw new ArgumentOutOfRangeException(nameof(time), time, $"An event cannot be posted before the clock, which is at {Now:R} s.");
        }

        if (double.IsPositiveInfinity(time))
        {
            return; // Never happens; it need not wait in the heap.
        }

        if (Count == heap.Length)
        {
            Array.Resize(ref heap, heap.Length * 2);
        }

        var item = new TimedEvent(time, kind, sequence++, client, number, deadline);
        var index = Count++;
        while (index > 0)
        {
            var parent = (index - 1) / Arity;
            if (!item.IsBefore(heap[parent]))
            {
                break;
            }

            heap[index] = heap[parent];
            index = parent;
        }

        heap[index] = item;
    }

    private void SiftDown(in TimedEvent item)
    {
        var index = 0;
        while (true)
        {
            var first = (index * Arity) + 1;
            if (first >= Count)
            {
                break;
            }

            var least = first;
            var end = Math.Min(first + Arity, Count);
            for (var child = first + 1; child < end; child++)
            {
                if (heap[child].IsBefore(heap[least]))
                {
                    least = child;
                }
            }

            if (!heap[least].IsBefore(item))
            {
                break;
            }

            heap[index] = heap[least];
            index = least;
        }

        heap[index] = item;
    }
}
