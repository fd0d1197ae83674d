namespace Federated.Client.Store;

/// <summary>One gate per digest.</summary>
internal sealed class BlobGates : IDisposable
{
    private readonly Lock sync = new();
    private readonly Dictionary<string, Gate> gates = new(StringComparer.Ordinal);

    public async ValueTask<IDisposable> EnterAsync(string sha256, CancellationToken cancellation)
    {
        Gate gate;
        lock (sync)
        {
            if (!gates.TryGetValue(sha256, out gate!))
            {
                gates.Add(sha256, gate = new Gate(this, sha256));
            }

            gate.Users++;
        }

        try
        {
            await gate.Semaphore.WaitAsync(cancellation);
        }
        catch
        {
            Leave(gate);
            throw;
        }

        return gate;
    }

    public void Dispose()
    {
        lock (sync)
        {
            foreach (var gate in gates.Values)
            {
                gate.Semaphore.Dispose();
            }
        }
    }

    private void Leave(Gate gate)
    {
        lock (sync)
        {
            if (--gate.Users == 0)
            {
                gates.Remove(gate.Sha256);
                gate.Semaphore.Dispose();
            }
        }
    }

    private sealed class Gate(BlobGates owner, string sha256) : IDisposable
    {
        public string Sha256 { get; } = sha256;

        public SemaphoreSlim Semaphore { get; } = new(1, 1);

        public int Users { get; set; }

        public void Dispose()
        {
            Semaphore.Release();
            owner.Leave(this);
        }
    }
}
