using System.Globalization;
using Federated.Privacy.Statements;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>A run as the catalog lists it.</summary>
/// <param name="Id">Its name in addresses: lower-case letters, digits and hyphens, at most 63.</param>
/// <param name="CreatedAt">Zero of the run's clock.</param>
/// <param name="Configuration">As the operator gave it.</param>
/// <param name="Origin">The version that it was branched from; null for a run that starts from its own initial model.</param>
public sealed record RunEntry(string Id, DateTimeOffset CreatedAt, ReadOnlyMemory<byte> Configuration, RunOrigin? Origin)
{
    /// <summary>What its log is called in the store: of its own, so that no host of a deleted run takes the log of the next run of that name.</summary>
    /// <value>The default is the run's id, as of runs that were made before logs had names.</value>
    public string Log { get; init; } = Id;

    /// <summary>Whether the run's log is known to hold something: a log without anything is then one that is gone, and not that of a new run.</summary>
    public bool HasBegun { get; init; }

    /// <summary>Why nothing but the run's id is known; empty where the catalog's entry could be read.</summary>
    public string Damage { get; init; } = "";

    /// <summary>A run that has not been before.</summary>
    public static RunEntry New(string id, DateTimeOffset createdAt, ReadOnlyMemory<byte> configuration, RunOrigin? origin) =>
        new(id, createdAt, configuration, origin) { Log = string.Create(CultureInfo.InvariantCulture, $"{id}.{createdAt.UtcTicks:x}") };
}

/// <summary>Where a branched run comes from.</summary>
/// <param name="Model">The parameters that it starts from.</param>
/// <param name="Inherited">What that version had cost clients when the branch was made; durable with the run, whatever becomes of the other.</param>
public sealed record RunOrigin(string Run, int Version, BlobReference Model, PrivacyInheritance Inherited)
{
    /// <summary>State of the server optimizer at that version, which the run's own goes on from; null where it begins anew.</summary>
    public BlobReference? Optimizer { get; init; }

    /// <summary>What the origin of a branch takes along of the run's saved state: the server optimizer's, where the version is the one that it is of.</summary>
    /// <param name="saved">The other run's; null when it keeps none.</param>
    /// <param name="model">The branch's own; it must have the same optimizer.</param>
    internal static BlobReference? OptimizerFor(int version, SavedState? saved, IRunModel model) =>
        saved is not null && saved.Version == version && saved.Optimizer == model.Optimizer ? saved.State : null;
}

/// <summary>What a run depends on beside a version's parameters, as it was last saved.</summary>
/// <param name="Version">The version that it is of.</param>
/// <param name="Optimizer">Name of the server optimizer that has a part in it.</param>
public sealed record SavedState(int Version, string Optimizer, BlobReference State);
