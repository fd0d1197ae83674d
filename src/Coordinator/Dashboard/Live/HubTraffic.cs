namespace Federated.Coordinator.Dashboard.Live;

/// <summary>What the hub does, counted: viewers now, frames put on their way, frames that a slow viewer was spared.</summary>
public sealed class HubTraffic
{
    private int viewers;
    private long frames;
    private long dropped;
    private long bytes;

    public int Viewers => Volatile.Read(ref viewers);

    public long Frames => Volatile.Read(ref frames);

    public long Dropped => Volatile.Read(ref dropped);

    public long Bytes => Volatile.Read(ref bytes);

    internal void Joined() => Interlocked.Increment(ref viewers);

    internal void Left() => Interlocked.Decrement(ref viewers);

    internal void Sent(int count, long size)
    {
        Interlocked.Add(ref frames, count);
        Interlocked.Add(ref bytes, count * size);
    }

    internal void Spared() => Interlocked.Increment(ref dropped);
}
