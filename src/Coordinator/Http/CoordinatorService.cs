using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Telemetry;
using Federated.Privacy.Statements;

namespace Federated.Coordinator.Http;

/// <summary>What the endpoints work with.</summary>
internal sealed class CoordinatorService(
    CoordinatorOptions options, IIdentities identities, AuditLog audit, IRunConfigurations configurations, TimeProvider clock, CoordinatorMetrics metrics)
{
    private volatile IRuns? registry;
    private volatile Uploads? uploads;

    public CoordinatorOptions Options => options;

    public IIdentities Identities => identities;

    public AuditLog Audit => audit;

    public IRunConfigurations Configurations => configurations;

    public TimeProvider Clock => clock;

    public CoordinatorMetrics Metrics => metrics;

    public RateLimits ClientLimits { get; } = new(options.ClientRate, options.ClientBurst, clock);

    public RateLimits AddressLimits { get; } = new(options.AddressRate, Math.Max(1, 2 * options.AddressRate), clock);

    public UploadSlots Slots { get; } = new(options.ConcurrentUploads, options.ConcurrentUploadsPerClient);

    /// <summary>The runs; null until they are loaded.</summary>
    public IRuns? Registry => registry;

    public Uploads? Uploads => uploads;

    /// <summary>Set when the coordinator is stopping: long polls are let go and nothing new is begun.</summary>
    public CancellationTokenSource Draining { get; } = new();

    /// <summary>Keeps each client's runs to one budget, where the operator has set one.</summary>
    public required LifetimeBudgets Lifetime { get; init; }

    /// <summary>Keys for shuffled runs, and the registered shufflers.</summary>
    public required ShufflingBook Shuffling { get; init; }

    public bool IsReady => registry is not null && !Draining.IsCancellationRequested;

    /// <summary>What people want to know of a run; of one whose configuration this build cannot read, its id.</summary>
    public RunDescription DescriptionOf(RunEntry entry)
    {
        try
        {
            return configurations.Describe(entry.Configuration);
        }
        catch (CoordinatorException)
        {
            return new RunDescription(entry.Id, "", "", "", PrivacyStatement.None(StatementSetting.Served));
        }
    }

    public void Opened(IRuns runs, Uploads pending) => (uploads, registry) = (pending, runs);
}
