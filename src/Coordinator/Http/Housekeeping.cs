namespace Federated.Coordinator.Http;

/// <summary>Throws away uploads that nobody finishes.</summary>
internal sealed class Housekeeping : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(5);

    private readonly ITimer timer;

    public Housekeeping(CoordinatorService service)
    {
        var idle = TimeSpan.FromSeconds(service.Options.UploadIdleSeconds);
        timer = service.Clock.CreateTimer(_ => service.Uploads!.Forget(idle), null, Every, Every);
    }

    /// <returns>When nothing of it is at work any more.</returns>
    public ValueTask DisposeAsync() => timer.DisposeAsync();
}
