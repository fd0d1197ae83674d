using Federated.Coordinator.Hosting;
using Federated.Protocol;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>Takes the check-ins that one silo's front door gets for one run; the key is the run's id.</summary>
[Alias("fed.selector")]
internal interface ISelectorGrain : IGrainWithStringKey
{
    /// <inheritdoc cref="IRunGrain.CheckInAsync"/>
    [Alias("check-in")]
    Task<CheckInResult> CheckInAsync(long made, ClientId client, TimeSpan wait, CancellationToken cancellation);

    /// <summary>The run has something for these clients; null for everybody.</summary>
    [OneWay, Alias("wake")]
    Task WakeAsync([Immutable] ClientId[]? clients);
}
