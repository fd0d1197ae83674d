using Federated.Client.Session;

namespace Federated.Cli.Clients;

/// <summary>Passes events on, and tells when the coordinator has answered a client's first check-in.</summary>
internal sealed class FirstReply(IClientObserver next) : IClientObserver
{
    private readonly TaskCompletionSource came = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Came => came.Task;

    public void On(ClientEvent happened)
    {
        next.On(happened);
        if (happened is Waiting or Assigned)
        {
            came.TrySetResult();
        }
    }
}
