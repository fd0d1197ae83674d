using Federated.Client.Privacy;
using Federated.Protocol;

namespace Federated.Client.Store;

/// <summary>State that lives as long as the process: for simulations, load tests, and devices that enrol anew at every start.</summary>
public sealed class MemoryClientStore : IClientStore
{
    private readonly Dictionary<string, RunState> runs = new(StringComparer.Ordinal);

    /// <param name="models">A cache, shared by the clients of a process where it is the same object.</param>
    public MemoryClientStore(IModelCache models)
    {
        ArgumentNullException.ThrowIfNull(models);
        Models = models;
    }

    public ClientIdentity? Identity { get; private set; }

    public IModelCache Models { get; }

    public ClientLedger Ledger { get; private set; } = ClientLedger.Empty;

    public void SaveLedger(ClientLedger ledger) => Ledger = ledger;

    public void SaveIdentity(ClientIdentity identity) => Identity = identity;

    public IRunStore OpenRun(string run)
    {
        if (!runs.TryGetValue(run, out var state))
        {
            runs.Add(run, state = new RunState());
        }

        return state;
    }

    public void Dispose()
    {
    }

    private sealed class RunState : IRunStore
    {
        private readonly Dictionary<string, byte[]> parts = new(StringComparer.Ordinal);
        private byte[]? memory;
        private byte[]? pendingMemory;

        public PendingUpdate? Pending { get; private set; }

        public BlobReference WritePart(Action<Stream> write)
        {
            using var bytes = new MemoryStream();
            using var hashing = new HashingStream(bytes);
            write(hashing);
            var part = hashing.Finish();
            parts[part.Sha256] = bytes.ToArray();
            return part;
        }

        public Stream OpenPart(BlobReference part) => new MemoryStream(parts[part.Sha256], writable: false);

        public Stream? OpenMemory() => memory is null ? null : new MemoryStream(memory, writable: false);

        public void Stage(PendingUpdate pending, Action<Stream>? writeMemory)
        {
            if (writeMemory is not null)
            {
                using var bytes = new MemoryStream();
                writeMemory(bytes);
                pendingMemory = bytes.ToArray();
            }

            Pending = pending;
        }

        public void Accept()
        {
            memory = pendingMemory ?? memory;
            Discard();
        }

        public void Discard()
        {
            (Pending, pendingMemory) = (null, null);
            parts.Clear();
        }
    }
}
