namespace Federated.Coordinator.Storage;

/// <summary>A blob store that several hosts use and sweep together.</summary>
/// <remarks>
/// Each sweep has a number. A host that sees a new one says again what it holds, and that it has seen that number; the next sweep begins only
/// when all living hosts have. What any of them holds is thus never unmarked at one sweep and deleted at the next. A host that has not been
/// heard of for ten minutes counts as dead; should it live on, what it held may be gone, which it finds out when it asks for it.
/// </remarks>
public interface ISharedSweep
{
    /// <summary>Says what this host holds. To be called several times between two sweeps.</summary>
    ValueTask KeepHoldsAsync(CancellationToken cancellation);

    /// <summary>Whether it is time for a sweep, and this host the one to do it.</summary>
    /// <param name="period">Least time between two sweeps.</param>
    ValueTask<bool> TryClaimSweepAsync(TimeSpan period, CancellationToken cancellation);
}
