using Federated.Privacy.Statements;

namespace Federated.Coordinator.Http;

/// <summary>Reads what operators send as a run's configuration.</summary>
public interface IRunConfigurations
{
    /// <summary>Checks a configuration and writes every default out.</summary>
    /// <param name="text">The experiment, YAML.</param>
    /// <param name="sets">Overrides, <c>key.key=value</c>.</param>
    /// <returns>What the run's parts are made of, from here on.</returns>
    /// <exception cref="CoordinatorException">It is not one; the message says what to change, a line for each error.</exception>
    byte[] Read(string text, IReadOnlyList<string> sets);

    /// <summary>What people want to know of a configuration that was read.</summary>
    RunDescription Describe(ReadOnlyMemory<byte> configuration);
}

/// <param name="Name">What people call the run.</param>
/// <param name="Strategy">Scheduler × aggregator × server optimizer × objective, by name.</param>
/// <param name="Data">What is trained on, as far as the configuration tells.</param>
/// <param name="Model">The model, in words.</param>
/// <param name="Privacy">The statement before the run began: who is protected, against whom, how far.</param>
public sealed record RunDescription(string Name, string Strategy, string Data, string Model, PrivacyStatement Privacy)
{
    /// <summary>Names of the shufflers that the run's reports pass, first to last.</summary>
    public IReadOnlyList<string> Shufflers { get; init; } = [];
}
