using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Training;
using Federated.Client.Transport;

namespace Federated.Client.Tests.Fakes;

/// <summary>Runs sessions in virtual time, with the state of one device.</summary>
internal sealed class SessionDriver(VirtualTime time, ITransport transport, IClientStore store, ITrainer trainer) : IClientObserver
{
    public FederatedClientOptions Options { get; set; } = new() { Run = "run", EnrolmentToken = "one-time", Seed = 1 };

    /// <summary>Virtual seconds that a training takes.</summary>
    public double TrainSeconds { get; set; }

    public List<ClientEvent> Events { get; } = [];

    public SessionSummary Run(CancellationToken cancellation = default) => VirtualThread.Run(
        time,
        () => new ClientSession(Options with { Observer = this }, transport, store, trainer, time, Options.Seed ?? 1, ComputeAsync).RunAsync(cancellation));

    public void On(ClientEvent happened) => Events.Add(happened);

    private async Task ComputeAsync(Action work)
    {
        if (TrainSeconds > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(TrainSeconds), time);
        }

        work();
    }
}
