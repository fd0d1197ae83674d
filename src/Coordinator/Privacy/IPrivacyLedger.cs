using Federated.Privacy;

namespace Federated.Coordinator.Privacy;

/// <summary>What a run has spent, for whoever shows it. May be read on any thread, but for what says otherwise.</summary>
public interface IPrivacyLedger
{
    /// <summary>What the run had cost the client that it cost most when the last version was published; null before that.</summary>
    PrivacyGuarantee? Spent { get; }

    /// <summary>The most that the run can cost a client; null when nothing bounds it in advance.</summary>
    PrivacyGuarantee? Planned { get; }

    /// <summary>ε spent as of versions, oldest first; of very many versions some. Never changed once given.</summary>
    IReadOnlyList<SpentAt> Course { get; }

    /// <summary>Clients that were charged at least once; 0 where they are not charged one by one. For the run's own loop.</summary>
    int ClientsCharged { get; }

    /// <summary>The clients that were charged most often. For the run's own loop. Cost: O(N log count).</summary>
    IReadOnlyList<ClientSpending> Nearest(int count);

    /// <summary>What the run has cost one client; null when nothing. For the run's own loop.</summary>
    PrivacyGuarantee? SpentBy(int client);
}
