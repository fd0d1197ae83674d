using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>A run with how a front door follows it. Thread-safe.</summary>
internal sealed class FollowedRun : IRunObserver
{
    private readonly IRunGrain grain;
    private long lastDone;
    private int busy, due = 1;

    public FollowedRun(ClusterRun run, IRunGrain grain, IGrainFactory grains)
    {
        (Run, this.grain) = (run, grain);
        Observer = grains.CreateObjectReference<IRunObserver>(this);
    }

    public ClusterRun Run { get; }

    public IRunObserver Observer { get; }

    /// <summary>Whether the run would tell this door of its deletion: it tells for a minute, and is asked well before that.</summary>
    public bool IsFollowed(TimeProvider clock) =>
        Volatile.Read(ref lastDone) is not 0 and var done && clock.GetElapsedTime(done) < TimeSpan.FromSeconds(55);

    /// <summary>What is over does not change any more: its grain may sleep.</summary>
    public bool IsDue(ClusterDoor door) =>
        !(Run.View.Status == RunStatus.Finished && Volatile.Read(ref lastDone) != 0)
        && (Volatile.Read(ref due) == 1 || Volatile.Read(ref lastDone) is 0 || door.Clock.GetElapsedTime(Volatile.Read(ref lastDone)) >= door.Options.FollowPeriod);

    public void MakeDue() => Volatile.Write(ref due, 1);

    public bool TryBegin() => Interlocked.CompareExchange(ref busy, 1, 0) == 0;

    public void Done(TimeProvider clock)
    {
        Volatile.Write(ref due, 0);
        Volatile.Write(ref lastDone, clock.GetTimestamp());
    }

    public void End() => Volatile.Write(ref busy, 0);

    public async Task NewsAsync(RunNews news)
    {
        if (news.Made == Run.Entry.CreatedAt.UtcTicks && Run.Mirror.Take(news) && TryBegin())
        {
            try
            {
                await Run.FollowAsync(Observer);
            }
            finally
            {
                End();
            }
        }
    }

    public Task GoneAsync(long made)
    {
        if (Run.Entry.CreatedAt.UtcTicks == made)
        {
            Run.IsGone = true;
        }

        return Task.CompletedTask;
    }
}
