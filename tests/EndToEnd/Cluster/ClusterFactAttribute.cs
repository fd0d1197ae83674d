using Federated.Coordinator.Tests.Storage;

namespace Federated.EndToEnd.Cluster;

/// <summary>A fact about silos as processes over PostgreSQL: skipped in builds without Orleans, and where there is no PostgreSQL.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClusterFactAttribute : FactAttribute
{
    public ClusterFactAttribute() => Skip = Engine.Missing ?? (PostgresServer.Programs is null ? PostgresServer.Missing : null);
}

/// <summary>Several such facts.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClusterTheoryAttribute : TheoryAttribute
{
    public ClusterTheoryAttribute() => Skip = Engine.Missing ?? (PostgresServer.Programs is null ? PostgresServer.Missing : null);

    /// <summary>Whether they are only run with FED_SLOW_TESTS=1.</summary>
    public bool IsSlow
    {
        get => false;
        set => Skip ??= value && Environment.GetEnvironmentVariable("FED_SLOW_TESTS") != "1" ? "It takes minutes; set FED_SLOW_TESTS=1." : null;
    }
}

/// <summary>A fact about a silo over files: skipped in builds without Orleans.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SiloFactAttribute : FactAttribute
{
    public SiloFactAttribute() => Skip = Engine.Missing;
}

/// <summary>Several such facts.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SiloTheoryAttribute : TheoryAttribute
{
    public SiloTheoryAttribute() => Skip = Engine.Missing;
}

/// <summary>Whether this build has Orleans.</summary>
internal static class Engine
{
    public static string? Missing => Build.IsEnabled("Orleans") ? null : "This build has no Orleans: the package feed lacks it. Add a feed that has it and run ./fed engines --probe.";
}
