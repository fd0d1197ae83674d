using Federated.Aggregation.Randomness;
using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// The clients that wait for work: O(1) insertion, removal and uniform draw, in an order that depends on the events alone. Costs 8 B
/// per client known and 4 B per client waiting.
/// </summary>
public sealed class AvailableClients
{
    private readonly List<int> members = [];
    private int[] positions = [];

    public int Count => members.Count;

    /// <summary>The waiting clients, in no meaningful order.</summary>
    public ClientId this[int index] => new(members[index]);

    public bool Contains(ClientId client) => client.Value < positions.Length && positions[client.Value] > 0;

    /// <summary>Draws one client uniformly, without removing it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Nobody waits.</exception>
    public ClientId Draw(SeededRandom random) => new(members[random.NextInt(members.Count)]);

    internal bool Add(ClientId client)
    {
        if (client.Value >= positions.Length)
        {
            Array.Resize(ref positions, Math.Max(client.Value + 1, positions.Length * 2));
        }

        if (positions[client.Value] > 0)
        {
            return false;
        }

        members.Add(client.Value);
        positions[client.Value] = members.Count;
        return true;
    }

    internal bool Remove(ClientId client)
    {
        if (!Contains(client))
        {
            return false;
        }

        var index = positions[client.Value] - 1;
        var last = members[^1];
        members[index] = last;
        positions[last] = index + 1;
        positions[client.Value] = 0;
        members.RemoveAt(members.Count - 1);
        return true;
    }

    internal void Save(BinaryWriter writer)
    {
        writer.Write(members.Count);
        foreach (var member in members)
        {
            writer.Write(member);
        }
    }

    internal void Load(BinaryReader reader)
    {
        members.Clear();
        Array.Clear(positions);
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            Add(new ClientId(reader.ReadInt32()));
        }
    }
}
