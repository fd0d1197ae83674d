using Federated.Privacy.Central.Factorizations;

namespace Federated.Privacy.Central;

/// <summary>
/// Enforces a participation pattern: who has contributed too often or too lately is turned away, so that the sensitivity which noise was
/// scaled to is true. Without it a guarantee for a run without sampling is a wish.
/// </summary>
/// <remarks>A client is admitted when it is first given a step's model, and stays charged if it then drops out. Mutable; one owner.</remarks>
public sealed class ParticipationGate(Participation participation)
{
    private readonly Dictionary<int, (int Count, int LastStep)> clients = [];

    public Participation Participation => participation;

    /// <summary>What each client has used, for a checkpoint.</summary>
    public IReadOnlyDictionary<int, (int Count, int LastStep)> Clients => clients;

    /// <summary>Admits the client to a step and counts it, or gives the reason why not.</summary>
    /// <param name="client">The client's id.</param>
    /// <param name="step">The step of the mechanism that its update would enter.</param>
    /// <returns>Null when admitted.</returns>
    public string? TryAdmit(int client, int step)
    {
        if (RefusalFor(client, step) is { } reason)
        {
            return reason;
        }

        clients[client] = clients.TryGetValue(client, out var used) ? (used.Count + 1, step) : (1, step);
        return null;
    }

    /// <summary>Why the client cannot enter the step; null when it can.</summary>
    public string? RefusalFor(int client, int step)
    {
        if (!clients.TryGetValue(client, out var used))
        {
            return null;
        }

        if (used.Count >= participation.Count)
        {
            return $"client {client} has taken part {used.Count} times, as often as the guarantee covers";
        }

        return step - used.LastStep < participation.Separation
            ? $"client {client} took part at step {used.LastStep} and may again from step {used.LastStep + participation.Separation} on (now {step})"
            : null;
    }

    /// <summary>Continues from a checkpoint.</summary>
    public void Restore(IEnumerable<KeyValuePair<int, (int Count, int LastStep)>> used)
    {
        clients.Clear();
        foreach (var (client, record) in used)
        {
            clients.Add(client, record);
        }
    }
}
