using Federated.Coordinator.Tests.Storage;

namespace Federated.EndToEnd.Cluster;

/// <summary>A fact about silos as processes over PostgreSQL: skipped in builds without Orleans, and where there is no PostgreSQL.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClusterFactAttribute : FactAttribute
{
    public ClusterFactAttribute() => Skip =
        !Build.IsEnabled("Orleans") ? "This build has no Orleans: the package feed lacks it. Add a feed that has it and run ./fed engines --probe." :
        PostgresServer.Programs is null ? PostgresServer.Missing : null;
}
