using System.Text.Json;
using Federated.Client.Privacy;

namespace Federated.Client.Store;

/// <summary>A client's state in a folder of the device.</summary>
/// <remarks>
/// <code>
/// lock                      held while a session runs; two on one folder would answer each other's assignments
/// identity.json             the key pair and the client's id
/// ledger.json               what the client has spent, run by run
/// models/                   models by digest, see <see cref="FileModelCache"/>
/// runs/RUN/memory           what the client remembers (safetensors)
/// runs/RUN/pending/         the finished update that has no outcome yet, see <see cref="FileRunStore"/>
/// </code>
/// </remarks>
public sealed class FileClientStore : IClientStore
{
    private readonly string folder;
    private readonly FileStream lease;
    private readonly FileModelCache models;

    /// <param name="folder">Made when it is not there; only the owner may read it.</param>
    /// <param name="modelCacheBytes">Bound of the model cache; the model in use is kept whatever its size.</param>
    /// <param name="clock">For the order in which models were used.</param>
    /// <exception cref="ClientException">Another client uses the folder.</exception>
    public FileClientStore(string folder, long modelCacheBytes, TimeProvider clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        this.folder = Path.GetFullPath(folder);
        DurableFiles.CreateFolder(this.folder);
        try
        {
            lease = new FileStream(Path.Combine(this.folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new ClientException($"The state folder {this.folder} is in use by another client. Stop that one, or give this one a folder of its own.", e);
        }

        models = new FileModelCache(Path.Combine(this.folder, "models"), modelCacheBytes, clock);
        Identity = ReadIdentity();
        Ledger = ReadLedger();
    }

    public ClientIdentity? Identity { get; private set; }

    public ClientLedger Ledger { get; private set; }

    public IModelCache Models => models;

    private string LedgerPath => Path.Combine(folder, "ledger.json");

    private string IdentityPath => Path.Combine(folder, "identity.json");

    public void SaveIdentity(ClientIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        DurableFiles.Write(IdentityPath, file => JsonSerializer.Serialize(file, identity, StoreJson.Default.ClientIdentity));
        Identity = identity;
    }

    public void SaveLedger(ClientLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        DurableFiles.Write(LedgerPath, file => JsonSerializer.Serialize(file, ledger, StoreJson.Default.ClientLedger));
        Ledger = ledger;
    }

    public IRunStore OpenRun(string run)
    {
        // The name comes from a command line or from an app; it must not lead out of the folder.
        if (run.Length is 0 or > 63 || run.Any(c => c is not (>= 'a' and <= 'z') and not (>= '0' and <= '9') and not '-') || run[0] == '-')
        {
            throw new ClientException($"'{run}' is no run id: 1 to 63 of a-z, 0-9 and '-' are needed, and not '-' first.");
        }

        return new FileRunStore(Path.Combine(folder, "runs", run));
    }

    public void Dispose()
    {
        models.Dispose();
        lease.Dispose();
    }

    private ClientLedger ReadLedger()
    {
        if (!File.Exists(LedgerPath))
        {
            return ClientLedger.Empty;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(LedgerPath), StoreJson.Default.ClientLedger)
                ?? throw new JsonException("it is null.");
        }
        catch (JsonException e)
        {
            // Not begun anew in silence: that would give back what was spent.
            throw new ClientException($"{LedgerPath} is damaged: {e.Message} Restore it from a backup, or remove it if what the client has spent so far is not to count.", e);
        }
    }

    private ClientIdentity? ReadIdentity()
    {
        if (!File.Exists(IdentityPath))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(IdentityPath), StoreJson.Default.ClientIdentity);
        }
        catch (JsonException e)
        {
            throw new ClientException($"{IdentityPath} is damaged: {e.Message} Restore it, or remove it and enrol again with a new token.", e);
        }
    }
}
