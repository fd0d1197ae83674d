using Federated.Client.Transport;

namespace Federated.Client;

/// <summary>A failure of this project's domain; the message says what was needed, what was there and what to change.</summary>
public sealed class ClientException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the coordinator or the network said; null when the failure is this device's own.</summary>
    public Problem? Problem { get; init; }

    internal static ClientException Of(Problem problem, Exception? inner = null) => new(problem.ToString(), inner) { Problem = problem };
}
