namespace Federated.Privacy.Statements;

/// <summary>What a host knows of a run that its policy does not: who stands between clients and the sum.</summary>
public sealed record StatementSetting
{
    /// <summary>A run with real clients, whose updates reach the coordinator directly.</summary>
    public static StatementSetting Served { get; } = new();

    /// <summary>A run in virtual time.</summary>
    public static StatementSetting Simulation { get; } = new() { IsSimulated = true };

    /// <value>True when clients and noise are simulated: whoever knows the seed can take the noise away.</value>
    public bool IsSimulated { get; init; }

    /// <value>Names or addresses of the shufflers that reports pass, in order; empty where there is none, or it is simulated.</value>
    public IReadOnlyList<string> Shufflers { get; init; } = [];

    /// <value>Clients that have to answer before a sum is opened (secure aggregation); 0 where single updates reach the coordinator.</value>
    public int SumThreshold { get; init; }
}
