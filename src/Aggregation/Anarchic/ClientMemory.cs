using System.Numerics;

namespace Federated.Aggregation.Anarchic;

/// <summary>Client memory in the process's own memory: N·d values.</summary>
public sealed class ClientMemory<T> : IClientMemory<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly SortedDictionary<int, (long Sequence, T[] Vector)> entries = [];

    public IReadOnlyCollection<int> Clients => entries.Keys;

    public bool TryRead(int client, Span<T> destination, out long sequence)
    {
        if (!entries.TryGetValue(client, out var entry))
        {
            sequence = 0;
            return false;
        }

        entry.Vector.CopyTo(destination);
        sequence = entry.Sequence;
        return true;
    }

    public void Write(int client, long sequence, ReadOnlySpan<T> vector)
    {
        var place = entries.TryGetValue(client, out var entry) && entry.Vector.Length == vector.Length ? entry.Vector : new T[vector.Length];
        vector.CopyTo(place);
        entries[client] = (sequence, place);
    }

    public void Remove(int client) => entries.Remove(client);
}
