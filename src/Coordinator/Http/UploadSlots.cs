using System.Collections.Concurrent;

namespace Federated.Coordinator.Http;

/// <summary>How many large bodies may come in at once, over all and per client; asked before the first byte is read.</summary>
internal sealed class UploadSlots(int total, int perClient)
{
    private readonly ConcurrentDictionary<string, int> clients = new(StringComparer.Ordinal);
    private int taken;

    /// <summary>Bodies that are coming in now.</summary>
    public int Taken => Volatile.Read(ref taken);

    /// <returns>The problem when there is no place; null when the caller has one, and gives it back by <see cref="Release"/>.</returns>
    public ProblemType? TryTake(string client)
    {
        if (clients.AddOrUpdate(client, 1, static (_, n) => n + 1) > perClient)
        {
            Leave(client);
            return Problems.TooManyRequests;
        }

        if (Interlocked.Increment(ref taken) > total)
        {
            Interlocked.Decrement(ref taken);
            Leave(client);
            return Problems.Busy;
        }

        return null;
    }

    public void Release(string client)
    {
        Interlocked.Decrement(ref taken);
        Leave(client);
    }

    private void Leave(string client)
    {
        if (clients.AddOrUpdate(client, 0, static (_, n) => n - 1) <= 0)
        {
            clients.TryRemove(KeyValuePair.Create(client, 0));
        }
    }
}
