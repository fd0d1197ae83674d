using System.Numerics;

namespace Federated.Simulation.Engine;

/// <summary>
/// The jobs that nobody has begun, for two kinds of takers: the simulation's thread helps with what is due first; workers take the
/// longest of the next ones due, so that no long job is left for the end of a round.
/// </summary>
/// <remarks>
/// Which job is taken when changes the waiting, never a result. Jobs begun or released elsewhere stay behind as stale entries and are
/// skipped. Not thread-safe: the pool's lock guards it. Cost: O(log n) and a scan of the window.
/// </remarks>
/// <param name="window">How many of the jobs due next a worker chooses from.</param>
internal sealed class PendingJobs<T>(int window)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly PriorityQueue<Entry, (double Due, ulong Order)> queue = new();
    private readonly List<Entry> next = new(window);
    private ulong order;

    public void Add(TrainingJob<T> job) => queue.Enqueue(new Entry(job, job.Generation), (job.Due, order++));

    /// <summary>Takes the job due first, or null when there is none.</summary>
    public TrainingJob<T>? TakeFirst()
    {
        Fill();
        return next.Count == 0 ? null : TakeAt(0);
    }

    /// <summary>Takes the longest of the jobs due next, or null when there is none.</summary>
    public TrainingJob<T>? TakeLongest()
    {
        Fill();
        var longest = -1;
        for (var i = 0; i < next.Count; i++)
        {
            if (longest < 0 || next[i].Job.Steps > next[longest].Job.Steps)
            {
                longest = i;
            }
        }

        return longest < 0 ? null : TakeAt(longest);
    }

    private TrainingJob<T> TakeAt(int index)
    {
        var job = next[index].Job;
        next.RemoveAt(index);
        return job;
    }

    private void Fill()
    {
        next.RemoveAll(entry => entry.IsStale);
        while (next.Count < window && queue.TryDequeue(out var entry, out _))
        {
            if (!entry.IsStale)
            {
                next.Add(entry);
            }
        }
    }

    private readonly record struct Entry(TrainingJob<T> Job, int Generation)
    {
        public bool IsStale => Job.Generation != Generation || Job.State != JobState.Pending;
    }
}
