using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>A run as the catalog lists it.</summary>
/// <param name="Id">Its name in addresses: lower-case letters, digits and hyphens, at most 63.</param>
/// <param name="CreatedAt">Zero of the run's clock.</param>
/// <param name="Configuration">As the operator gave it.</param>
/// <param name="Origin">The version that it was branched from; null for a run that starts from its own initial model.</param>
public sealed record RunEntry(string Id, DateTimeOffset CreatedAt, ReadOnlyMemory<byte> Configuration, RunOrigin? Origin);

/// <summary>Where a branched run comes from.</summary>
/// <param name="Model">The parameters that it starts from.</param>
public sealed record RunOrigin(string Run, int Version, BlobReference Model);
