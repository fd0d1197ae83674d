using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// Decides who trains, from which version, how much and by when, and when a new version is published. Called by the run machine on
/// one logical thread, with time and randomness from <see cref="ISchedulingContext"/>; holds only state that it can save.
/// </summary>
public interface IScheduler
{
    string Name { get; }

    /// <summary>A client without an assignment became available; it stands in <see cref="ISchedulingContext.Available"/>.</summary>
    void OnAvailable(ISchedulingContext run, ClientId client);

    /// <summary>A valid update arrived: accept it, or reject it with a reason. If the client is ready for more it is already available.</summary>
    void OnUpdate(ISchedulingContext run, in ArrivedUpdate update);

    /// <summary>An assignment ended without an accepted update (lost, failed, rejected by the machine); it is settled already.</summary>
    void OnEnded(ISchedulingContext run, Assignment assignment);

    /// <summary>A deadline armed by this scheduler passed.</summary>
    void OnDeadline(ISchedulingContext run, long number);

    /// <summary>The run is stopping: publish what is buffered, if this scheduler's options say so.</summary>
    void OnFinishing(ISchedulingContext run);

    /// <summary>Why <paramref name="client"/> waits.</summary>
    WaitReason DescribeWait(ISchedulingContext run, ClientId client);

    /// <summary>Updates that were accepted and not yet accumulated: their blobs must be kept.</summary>
    IEnumerable<ArrivedUpdate> Held => [];

    /// <summary>Writes all state that a restored run needs, in a form <see cref="Load"/> reads.</summary>
    void Save(BinaryWriter writer);

    void Load(BinaryReader reader);
}

/// <summary>A valid update of an assignment in flight.</summary>
/// <param name="Staleness">τ = current version − base version, at arrival.</param>
public readonly record struct ArrivedUpdate(Assignment Assignment, UpdateReport Report, int Staleness, bool Ready);

/// <summary>What a scheduler may see and do. Implemented by the run machine.</summary>
public interface ISchedulingContext
{
    /// <summary>Seconds on the run's clock.</summary>
    double Now { get; }

    /// <summary>The current model version, t.</summary>
    int Version { get; }

    /// <summary>Assignments out at clients.</summary>
    int InFlight { get; }

    /// <summary>Clients known to the run, available or not.</summary>
    int ClientCount { get; }

    /// <summary>The run's own random stream.</summary>
    Federated.Aggregation.Randomness.SeededRandom Random { get; }

    /// <summary>Clients that checked in and wait for work.</summary>
    AvailableClients Available { get; }

    /// <summary>What the run knows of a client.</summary>
    ClientFacts Facts(ClientId client);

    /// <summary>Leases work on the current version to an available client, for as long as the run's client timeout says.</summary>
    Assignment Dispatch(ClientId client, LocalWork work);

    /// <summary>Accepts an arrived update: it will be accumulated exactly once, now or later.</summary>
    void Accept(in ArrivedUpdate update);

    /// <summary>Rejects an arrived update.</summary>
    void Reject(in ArrivedUpdate update, Rejection reason, string detail);

    /// <summary>Ends an assignment in flight without its update, and tells the client to stop.</summary>
    void Abandon(AssignmentId assignment, Rejection reason, string detail);

    /// <summary>Folds an accepted update into the open aggregate.</summary>
    void Accumulate(Assignment assignment, UpdateReport report, double weight, DeltaBasis basis = DeltaBasis.BaseVersion);

    /// <summary>Publishes the open aggregate as the next version and returns its number.</summary>
    int Publish();

    /// <summary>Arms a deadline of the scheduler's own; it is never taken back, so <see cref="IScheduler.OnDeadline"/> checks whether it still matters.</summary>
    void Arm(long number, double time);
}
