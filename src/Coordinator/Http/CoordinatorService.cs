using System.Collections.Concurrent;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Telemetry;

namespace Federated.Coordinator.Http;

/// <summary>What the endpoints work with.</summary>
internal sealed class CoordinatorService(
    CoordinatorOptions options, IIdentities identities, AuditLog audit, IRunConfigurations configurations, TimeProvider clock, CoordinatorMetrics metrics)
{
    private readonly ConcurrentDictionary<string, Lobby> lobbies = new(StringComparer.Ordinal);
    private volatile RunRegistry? registry;
    private volatile Uploads? uploads;

    public CoordinatorOptions Options => options;

    public IIdentities Identities => identities;

    public AuditLog Audit => audit;

    public IRunConfigurations Configurations => configurations;

    public TimeProvider Clock => clock;

    public CoordinatorMetrics Metrics => metrics;

    public RateLimits ClientLimits { get; } = new(options.ClientRate, options.ClientBurst, clock);

    public RateLimits AddressLimits { get; } = new(options.AddressRate, 2 * options.AddressRate, clock);

    public UploadSlots Slots { get; } = new(options.ConcurrentUploads, options.ConcurrentUploadsPerClient);

    /// <summary>The runs; null until they are loaded.</summary>
    public RunRegistry? Registry => registry;

    public Uploads? Uploads => uploads;

    /// <summary>Set when the coordinator is stopping: long polls are let go and nothing new is begun.</summary>
    public CancellationTokenSource Draining { get; } = new();

    public bool IsReady => registry is not null && !Draining.IsCancellationRequested;

    public void Opened(RunRegistry runs, Uploads pending) => (uploads, registry) = (pending, runs);

    /// <summary>The lobby of a run that counts its clients; null for one that does not.</summary>
    public Lobby? LobbyOf(RunHost host) => host.Parts.ExpectedClients is > 0 and var expected && host.View.Clients < expected
        ? lobbies.GetOrAdd(host.Entry.Id, static (_, made) => new Lobby(made.host, made.expected, made.clock), (host, expected, clock))
        : null;

    public int LobbyCount(string run) => lobbies.TryGetValue(run, out var lobby) ? lobby.Count : 0;

    /// <summary>Follows a run for traces, when they are exported.</summary>
    public void Trace(RunHost host)
    {
        if (Export.IsWanted(options.OtlpEndpoint))
        {
            PublishTrace.Follow(host);
        }
    }

    public void Forget(string run) => lobbies.TryRemove(run, out _);
}
