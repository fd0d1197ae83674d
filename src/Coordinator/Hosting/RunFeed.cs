using System.Threading.Channels;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Hosting;

/// <summary>An event of a run with what came of it, for those who watch.</summary>
/// <param name="Sequence">Number of the event; a jump says how many were missed.</param>
/// <param name="Member">With <see cref="ClientJoined"/>: the client's name; empty otherwise.</param>
public sealed record RunNotice(long Sequence, RunEvent Event, string Member, IReadOnlyList<RunEffect> Effects)
{
    /// <summary>What could be seen meanwhile; empty while nobody watches.</summary>
    public IReadOnlyList<RunFact> Facts { get; init; } = [];
}

/// <summary>One watcher's stream of a run: bounded, the oldest notice goes when it is full. The run never waits for it.</summary>
public sealed class RunFeed : IDisposable
{
    private readonly Channel<RunNotice> channel;
    private readonly Action<RunFeed> leave;
    private long dropped;

    internal RunFeed(int capacity, Action<RunFeed> leave)
    {
        this.leave = leave;
        channel = Channel.CreateBounded<RunNotice>(
            new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleWriter = true }, _ => Interlocked.Increment(ref dropped));
    }

    /// <summary>The notices; completed when the host closes.</summary>
    public ChannelReader<RunNotice> Reader => channel.Reader;

    /// <summary>Notices that this watcher was too slow for.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    public void Dispose()
    {
        leave(this);
        channel.Writer.TryComplete();
    }

    internal void Give(RunNotice notice) => channel.Writer.TryWrite(notice);

    /// <summary>Counts what never came here.</summary>
    internal void Miss(long count) => Interlocked.Add(ref dropped, count);

    internal void Close() => channel.Writer.TryComplete();
}
