using System.Collections.Immutable;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>What can be told of a group of FedCompass.</summary>
/// <param name="Number">Order of creation.</param>
/// <param name="Out">Members still training.</param>
/// <param name="Arrived">Members whose updates are in, and who wait for the others.</param>
/// <param name="Expected">Seconds on the run's clock when all should arrive; 0 once it has closed.</param>
/// <param name="Latest">Seconds on the run's clock until which it waits; 0 once it has closed, so that whoever is still out is late.</param>
public sealed record CompassGroupFacts(long Number, ImmutableArray<ClientId> Out, ImmutableArray<ClientId> Arrived, double Expected, double Latest);
