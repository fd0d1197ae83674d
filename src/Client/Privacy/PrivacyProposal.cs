using Federated.Privacy.Statements;

namespace Federated.Client.Privacy;

/// <summary>What an assignment would cost, for whoever may veto it. All numbers are the client's own.</summary>
/// <param name="Run">The run.</param>
/// <param name="Assignment">The assignment.</param>
/// <param name="Analysis">What the data are used for.</param>
/// <param name="Statement">The run's, as the coordinator tells it.</param>
public sealed record PrivacyProposal(string Run, long Assignment, string Analysis, PrivacyStatement Statement)
{
    /// <value>Times that this client will have taken part in the run, this one included.</value>
    public int Participations { get; init; }

    /// <value>ε that the run will have cost this client; +∞ when nothing bounds it.</value>
    public double Epsilon { get; init; }

    public double Delta { get; init; }

    /// <value>ε₀ of the report; 0 when the client does not randomise.</value>
    public double ReportEpsilon { get; init; }

    /// <value>What all runs together will have cost this client.</value>
    public double LifetimeEpsilon { get; init; }

    public double LifetimeDelta { get; init; }
}
