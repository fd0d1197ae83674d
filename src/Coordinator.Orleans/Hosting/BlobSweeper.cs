using Federated.Coordinator.Storage;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>Sweeps the cluster's blobs: every silo says what it holds, and one of them, whichever comes first, does the work.</summary>
/// <param name="referenced">The digests that some run needs; null when that is not known of one, and nothing may be swept.</param>
internal sealed partial class BlobSweeper(
    IBlobStore blobs, Func<CancellationToken, Task<IReadOnlySet<string>?>> referenced, TimeSpan period, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(period / 4 < LongestPause ? period / 4 : LongestPause, clock);
        var last = clock.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                try
                {
                    if (await IsDueAsync(last, cancellation).ConfigureAwait(false))
                    {
                        last = clock.GetTimestamp();
                        LogSwept(await SweepAsync(cancellation).ConfigureAwait(false));
                    }
                }
                catch (Exception e) when (e is StorageException or OrleansException or TimeoutException)
                {
                    LogFailed(e.Message); // The next one may go better; nothing depends on it.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    /// <returns>Bytes freed.</returns>
    public async Task<long> SweepAsync(CancellationToken cancellation)
    {
        try
        {
            return await blobs.SweepAsync(
                async () => await referenced(cancellation).ConfigureAwait(false) ?? throw new UnknownException(), cancellation).ConfigureAwait(false);
        }
        catch (UnknownException)
        {
            return 0; // A run is on its way from one silo to another, and nobody knows what it needs.
        }
    }

    private async ValueTask<bool> IsDueAsync(long last, CancellationToken cancellation)
    {
        if (blobs is not ISharedSweep shared)
        {
            return clock.GetElapsedTime(last) >= period;
        }

        await shared.KeepHoldsAsync(cancellation).ConfigureAwait(false);
        return await shared.TryClaimSweepAsync(period, cancellation).ConfigureAwait(false);
    }

    [LoggerMessage(LogLevel.Information, "Blobs that no run needs were swept: {Bytes} bytes.")]
    private partial void LogSwept(long bytes);

    [LoggerMessage(LogLevel.Warning, "Blobs could not be swept: {Problem}")]
    private partial void LogFailed(string problem);

    private sealed class UnknownException : Exception;
}
