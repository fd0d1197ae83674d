using System.Buffers.Binary;
using System.Security.Cryptography;
using Federated.Client.Analytics;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Training;
using Federated.Client.Transport;

namespace Federated.Client;

/// <summary>
/// A device's part in one run: enrols, asks for work, trains, sends updates, and goes on until the run is over, whatever happens to the
/// network, the coordinator or the device in between.
/// </summary>
/// <remarks>
/// <code>
/// await using var client = FederatedClient.Connect(new Uri("https://coordinator:7431"), "my-run", "state", enrolmentToken);
/// await client.RunAsync(new MyTrainer(), cancellation);
/// </code>
/// </remarks>
public sealed class FederatedClient : IAsyncDisposable
{
    private readonly FederatedClientOptions options;
    private readonly ITransport transport;
    private readonly IClientStore store;
    private readonly TimeProvider clock;

    /// <param name="transport">Reaches the coordinator; owned by the client from here on.</param>
    /// <param name="store">Remembers; owned by the client from here on.</param>
    public FederatedClient(FederatedClientOptions options, ITransport transport, IClientStore store, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(clock);
        (this.options, this.transport, this.store, this.clock) = (options, transport, store, clock);
    }

    /// <summary>A client over HTTP with its state in a folder and everything else as usual.</summary>
    /// <param name="coordinator">The coordinator's address.</param>
    /// <param name="run">The run's id.</param>
    /// <param name="stateFolder">Survives restarts; one per client. Models are cached there, up to 1 GiB.</param>
    /// <param name="enrolmentToken">From the coordinator's operator; not needed once the client is enrolled.</param>
    public static FederatedClient Connect(Uri coordinator, string run, string stateFolder, string enrolmentToken = "") =>
        Connect(new FederatedClientOptions { Run = run, EnrolmentToken = enrolmentToken }, new HttpTransportOptions { Endpoints = Endpoints.Of(coordinator) }, stateFolder);

    /// <summary>A client over HTTP with its state in a folder.</summary>
    public static FederatedClient Connect(FederatedClientOptions options, HttpTransportOptions transport, string stateFolder)
    {
#pragma warning disable RS0030 // The one place where a device's own clock comes in; everything below takes it as an argument.
        var clock = TimeProvider.System;
#pragma warning restore RS0030
        return new FederatedClient(options, new HttpTransport(transport, clock), new FileClientStore(stateFolder, 1L << 30, clock), clock);
    }

    /// <summary>Takes part until the run is over, or as many updates as asked have been settled.</summary>
    /// <param name="cancellation">Ends the session: work in hand is given up, a finished update is kept for the next start.</param>
    /// <exception cref="ClientException">What waiting and repeating cannot mend: not enrolled, no such run, another protocol.</exception>
    public Task<SessionSummary> RunAsync(ITrainer trainer, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(trainer);

        // Off the caller's context: an app's window stays alive whatever the session waits for.
        return Task.Run(() => new ClientSession(options, transport, store, trainer, clock, Seed(), compute => Task.Run(compute, CancellationToken.None)).RunAsync(cancellation), CancellationToken.None);
    }

    /// <summary>Takes part in a run that asks a question, until it is over.</summary>
    /// <inheritdoc cref="RunAsync(ITrainer, CancellationToken)"/>
    public Task<SessionSummary> AnswerAsync(IAnalyst analyst, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(analyst);
        return RunAsync(analyst as ITrainer ?? new AnswersOnly(analyst), cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await transport.DisposeAsync();
        store.Dispose();
    }

    private ulong Seed()
    {
        Span<byte> drawn = stackalloc byte[8];
        RandomNumberGenerator.Fill(drawn);
        return options.Seed ?? BinaryPrimitives.ReadUInt64LittleEndian(drawn);
    }
}
