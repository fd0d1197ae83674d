using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>Repeats what is safe to repeat while a grain is on its way from one silo to another.</summary>
internal static class Patience
{
    /// <inheritdoc cref="AskAsync{TReply}"/>
    public static Task AskAsync(Func<Task> ask, TimeSpan patience, TimeProvider clock, CancellationToken cancellation) => AskAsync(
        async () =>
        {
            await ask().ConfigureAwait(false);
            return true;
        },
        patience, clock, cancellation);

    /// <summary>Asks, again while the answer is that nobody can be reached.</summary>
    /// <exception cref="StorageException">Patience has ended.</exception>
    public static async Task<TReply> AskAsync<TReply>(Func<Task<TReply>> ask, TimeSpan patience, TimeProvider clock, CancellationToken cancellation)
    {
        var start = clock.GetTimestamp();
        for (var pause = 0.02; ; pause = Math.Min(1, 2 * pause))
        {
            try
            {
                return await ask().ConfigureAwait(false);
            }
            catch (Exception e) when (e is OrleansException or TimeoutException)
            {
                if (clock.GetElapsedTime(start) >= patience)
                {
                    throw new StorageException($"The cluster did not answer for {patience.TotalSeconds:F0} seconds: {e.Message}", e);
                }

                await Task.Delay(TimeSpan.FromSeconds(pause), clock, cancellation).ConfigureAwait(false);
            }
        }
    }
}
