namespace Federated.Coordinator.Privacy;

/// <summary>How a run's ledger stands.</summary>
/// <param name="Course">As of <see cref="IPrivacyLedger.Course"/>.</param>
/// <param name="Charged">Clients that were charged at least once; 0 where they are not charged one by one.</param>
/// <param name="Nearest">Those that were charged most often, as many as were asked for.</param>
public sealed record RunSpending(IReadOnlyList<SpentAt> Course, int Charged, IReadOnlyList<ClientSpending> Nearest)
{
    /// <summary>Of a run without privacy.</summary>
    public static RunSpending Nothing { get; } = new([], 0, []);
}

/// <summary>ε spent by the client that had spent most when a version was published.</summary>
public readonly record struct SpentAt(int Version, double Epsilon);

/// <summary>What a run has cost one client.</summary>
/// <param name="Client">Its number in the run.</param>
/// <param name="Participations">Times that it was charged, since the last restart where there are restarts.</param>
/// <param name="Epsilon">At the policy's δ.</param>
public readonly record struct ClientSpending(int Client, int Participations, double Epsilon);
