using Federated.Privacy;

namespace Federated.Coordinator.Privacy;

/// <summary>What a run has spent, for whoever shows it. May be read on any thread.</summary>
public interface IPrivacyLedger
{
    /// <summary>What the run had cost the client that it cost most when the last version was published; null before that.</summary>
    PrivacyGuarantee? Spent { get; }

    /// <summary>The most that the run can cost a client; null when nothing bounds it in advance.</summary>
    PrivacyGuarantee? Planned { get; }
}
