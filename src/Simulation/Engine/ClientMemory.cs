using System.Collections.Immutable;
using System.Numerics;
using Federated.Aggregation.Compression.Feedback;
using Federated.Training.LocalObjectives;

namespace Federated.Simulation.Engine;

/// <summary>
/// What simulated clients remember from one task to the next: the state of their objective and of their encoder. Only clients that have
/// taken part have an entry, and only where the objective or the codec needs one.
/// </summary>
/// <remarks>A client has one task at a time, so its entry is read by one worker and changed, by the simulation, only after that.</remarks>
internal sealed class ClientMemory<T>(ILocalObjective<T> objective, Func<IUpdateEncoder<T>>? createEncoder, int parameters)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly bool exchanges = objective.ServerTensors.Count + objective.ClientState.Count + objective.ClientTensors.Count > 0;
    private readonly Dictionary<int, IReadOnlyDictionary<string, ReadOnlyMemory<T>>> states = [];
    private readonly Dictionary<int, IUpdateEncoder<T>> encoders = [];

    /// <summary>What one task exchanges; null when the objective exchanges nothing.</summary>
    /// <param name="fromServer">The vectors of the version that the task starts from.</param>
    public LocalExchange<T>? ExchangeOf(int client, IReadOnlyDictionary<string, ReadOnlyMemory<T>> fromServer) => exchanges
        ? LocalExchange<T>.For(objective.ClientTensors, objective.ClientState, parameters, fromServer, states.GetValueOrDefault(client))
        : null;

    /// <summary>The objective's state of a client; empty before its first accepted update.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<T>> StateOf(int client) =>
        states.GetValueOrDefault(client) ?? ImmutableDictionary<string, ReadOnlyMemory<T>>.Empty;

    /// <summary>The client's encoder; null when updates travel as they are.</summary>
    public IUpdateEncoder<T>? EncoderOf(int client)
    {
        if (createEncoder is null)
        {
            return null;
        }

        if (!encoders.TryGetValue(client, out var encoder))
        {
            encoders.Add(client, encoder = createEncoder());
        }

        return encoder;
    }

    /// <summary>The server accepted the client's update: what was pending becomes what it remembers.</summary>
    public void Commit(int client, LocalExchange<T>? exchange)
    {
        if (exchange is { PendingState.Count: > 0 })
        {
            states[client] = exchange.PendingState.ToDictionary(pair => pair.Key, pair => (ReadOnlyMemory<T>)pair.Value);
        }

        if (encoders.TryGetValue(client, out var encoder))
        {
            encoder.Commit();
        }
    }
}
