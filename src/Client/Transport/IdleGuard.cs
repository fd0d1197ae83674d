namespace Federated.Client.Transport;

/// <summary>Cancels a transfer that stands still.</summary>
internal sealed class IdleGuard : IDisposable
{
    private readonly TimeSpan limit;
    private readonly CancellationTokenSource timer;
    private readonly CancellationTokenSource linked;

    public IdleGuard(TimeSpan limit, TimeProvider clock, CancellationToken outer)
    {
        (this.limit, Outer) = (limit, outer);
        timer = new CancellationTokenSource(limit, clock);
        linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, outer);
    }

    public CancellationToken Token => linked.Token;

    /// <summary>The caller's own.</summary>
    public CancellationToken Outer { get; }

    public void Moved() => timer.CancelAfter(limit);

    public void Dispose()
    {
        linked.Dispose();
        timer.Dispose();
    }
}
