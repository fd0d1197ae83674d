namespace Federated.EndToEnd.Serving;

/// <summary><c>fed serve</c> or <c>fed shuffler</c> in a process of its own, so that it can be killed.</summary>
internal sealed class ServiceProcess : FedProcess
{
    private ServiceProcess(string[] arguments) : base(arguments)
    {
    }

    /// <param name="url">Where it listens.</param>
    /// <param name="isWaitedFor">Until it is ready; one that is not may be killed while it loads.</param>
    public static async Task<ServiceProcess> StartAsync(string url, bool isWaitedFor, params string[] arguments)
    {
        var process = new ServiceProcess([.. arguments, "--listen", url]);
        if (isWaitedFor)
        {
            await process.ReadyAsync(url);
        }

        return process;
    }
}
