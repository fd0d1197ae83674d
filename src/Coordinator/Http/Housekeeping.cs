namespace Federated.Coordinator.Http;

/// <summary>Throws away uploads that nobody finishes.</summary>
internal sealed class Housekeeping : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(5);

    private readonly PeriodicTimer timer;
    private readonly Task loop;

    public Housekeeping(CoordinatorService service)
    {
        timer = new PeriodicTimer(Every, service.Clock);
        loop = Task.Run(async () =>
        {
            while (await timer.WaitForNextTickAsync().ConfigureAwait(false))
            {
                service.Uploads!.Forget(TimeSpan.FromSeconds(service.Options.UploadIdleSeconds));
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        timer.Dispose();
        await loop.ConfigureAwait(false);
    }
}
