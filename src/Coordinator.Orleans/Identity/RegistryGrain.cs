using System.Security.Cryptography;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Identity;

/// <summary>Keeps one share of the identities in a log of the store.</summary>
/// <remarks>
/// The log's expected sequence fences a second activation out, as it does for runs: two silos cannot both use a one-time token or both take
/// an assertion. Changes that come while others are being written share the next append. After a failed append nobody knows what is stored:
/// the activation leaves, and the next one reads.
/// </remarks>
[Reentrant] // Requests that come while a group is at the disk make up the next group.
internal sealed partial class RegistryGrain(IStore store, IdentityOptions options, TimeProvider clock, ILogger<RegistryGrain> logger) : Grain, IRegistryGrain
{
    /// <summary>Records after which the share is saved whole.</summary>
    private const int SaveEvery = 8192;

    private readonly Queue<(byte[] Record, TaskCompletionSource Done)> queue = [];
    private readonly RegistryState state = new(Assertion.Longest + (2 * options.ClockSkewSeconds));
    private IRunLog log = null!;
    private Task writing = Task.CompletedTask;
    private int sinceSaved;
    private bool isWriting, isLost;

    private int Number => (int)this.GetPrimaryKeyLong();

    private double Now => clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // The dot keeps it apart from every run: no run's id has one.
        log = store.OpenLog($"registry.{Number:D2}");
        RunHistory history;
        try
        {
            history = await log.LoadAsync(cancellationToken);
        }
        catch (StorageException e)
        {
            throw Moving(e.Message);
        }

        if (history.Snapshot is { } snapshot)
        {
            state.Load(snapshot.Span);
        }

        foreach (var record in history.Records)
        {
            state.Apply(record.Span);
        }

        sinceSaved = history.Records.Count;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        try
        {
            await WrittenAsync();
        }
        catch (OrleansException)
        {
            // Those who waited for it were told.
        }

        Lose("The registry's share is moving to another silo.");
        await log.DisposeAsync();
    }

    public async Task<byte[]> SecretAsync()
    {
        if (state.Secret is null)
        {
            await WriteAsync(RegistryState.FormOfSecret(RandomNumberGenerator.GetBytes(32)));
        }
        else
        {
            ThrowIfLost();
            await WrittenAsync();
        }

        return state.Secret!;
    }

    public Task<ClientRecord?> FindAsync(string client)
    {
        ThrowIfLost();
        return Task.FromResult(state.Book.TryGetClient(client, out var entry) ? RecordOf(entry) : null);
    }

    public async Task<bool> AddAsync(string client, string name, string? key)
    {
        ThrowIfLost();
        if (state.Book.TryGetClient(client, out _))
        {
            await WrittenAsync();
            return true;
        }

        if (state.Book.ClientCount >= (options.MaxClients + Shares.Count - 1) / Shares.Count)
        {
            return false;
        }

        await WriteAsync(RegistryState.Form(new IdentityRecord(IdentityKinds.Client, client, Now) { Name = name, Key = key }));
        return true;
    }

    public async Task<bool> RotateAsync(string client, string key)
    {
        ThrowIfLost();
        if (!state.Book.TryGetClient(client, out _))
        {
            return false;
        }

        await WriteAsync(RegistryState.Form(new IdentityRecord(IdentityKinds.ClientKey, client, Now) { Key = key }));
        return true;
    }

    public async Task<bool> RevokeAsync(string id, string reason)
    {
        ThrowIfLost();
        if (!state.Book.Has(id))
        {
            return false;
        }

        await WriteAsync(RegistryState.Form(new IdentityRecord(IdentityKinds.Revoked, id, Now) { Reason = reason }));
        return true;
    }

    public async Task<bool> TakeAsync(string client, string assertion)
    {
        ThrowIfLost();
        if (state.WasTaken(client, assertion))
        {
            return false;
        }

        await WriteAsync(RegistryState.Form(new TakenAssertion($"{client} {assertion}", Now)));
        return true;
    }

    public Task AddTokenAsync(TokenRecord token) => WriteAsync(RegistryState.Form(
        new IdentityRecord(token.Role is null ? IdentityKinds.Enrolment : IdentityKinds.Access, token.Token, Now)
        {
            Name = token.Name, Role = token.Role, Digest = token.Digest, Expires = token.Expires, Reusable = token.Role is null ? token.IsReusable : null,
        }));

    public Task<TokenRecord?> FindTokenAsync(string digest)
    {
        ThrowIfLost();
        return Task.FromResult(state.Book.TokenOf(digest) is { Role: not null } token ? RecordOf(token, "") : null);
    }

    public async Task<Refusal> UseTokenAsync(string digest, string client)
    {
        ThrowIfLost();
        var token = state.Book.TokenOf(digest);
        var refusal = IdentityBook.MayEnrol(token, client, Now);
        if (refusal == Refusal.None)
        {
            await (token!.UsedBy is null
                ? WriteAsync(RegistryState.Form(new IdentityRecord(IdentityKinds.Used, token.Record.Id, Now) { Name = client }))
                : WrittenAsync());
        }

        return refusal;
    }

    public Task NoteAsync(ClientNote note) => state.Book.TryGetClient(note.Client, out _) ? WriteAsync(RegistryState.Form(note)) : Task.CompletedTask;

    public Task<string?[]> NamesAsync(string[] clients)
    {
        ThrowIfLost();
        return Task.FromResult<string?[]>([.. clients.Select(c => state.Book.TryGetClient(c, out var entry) ? entry.Principal.Name : null)]);
    }

    public Task<ClientRecord[]> ClientsAsync()
    {
        ThrowIfLost();
        return Task.FromResult<ClientRecord[]>(
            [.. state.Book.Clients().Select(c => state.Book.TryGetClient(c.Client, out var entry) ? RecordOf(entry) : null).OfType<ClientRecord>()]);
    }

    public Task<TokenRecord[]> TokensAsync()
    {
        ThrowIfLost();
        return Task.FromResult<TokenRecord[]>(
            [.. state.Book.Tokens(Now).Select(t => new TokenRecord(t.Id, "", t.Name, t.Kind switch { "operator" => Role.Operator, "viewer" => Role.Viewer, _ => null }, t.Expires, false, t.State == "revoked", t.State))]);
    }

    private ClientRecord RecordOf(IdentityBook.ClientEntry entry) =>
        new(entry.Principal.Id, entry.Principal.Name, entry.Key, entry.EnrolledAt, entry.RevokedAt, state.NoteOf(entry.Principal.Id));

    private static TokenRecord RecordOf(IdentityBook.TokenEntry token, string stateOf) =>
        new(token.Record.Id, token.Record.Digest!, token.Principal.Name, token.Role, token.Record.Expires, token.IsReusable, token.IsRevoked, stateOf);

    /// <summary>Seen at once by whoever asks, told to nobody before it is durable.</summary>
    private Task WriteAsync(byte[] record)
    {
        ThrowIfLost();
        state.Apply(record);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Enqueue((record, done));
        if (!isWriting)
        {
            isWriting = true;
            _ = WriteQueueAsync();
        }

        return done.Task;
    }

    /// <summary>When all that was written so far is durable: what somebody else wrote may be on its way yet.</summary>
    private Task WrittenAsync() => queue.Count > 0 ? queue.Last().Done.Task : writing;

    private async Task WriteQueueAsync()
    {
        while (queue.Count > 0)
        {
            var group = queue.ToArray();
            queue.Clear();
            var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            writing = all.Task;
            try
            {
                await log.AppendAsync(log.NextSequence, [.. group.Select(g => (ReadOnlyMemory<byte>)g.Record)], CancellationToken.None);
                sinceSaved += group.Length;
                all.SetResult();
                foreach (var (_, done) in group)
                {
                    done.SetResult();
                }

                if (sinceSaved >= SaveEvery && queue.Count == 0)
                {
                    await log.SaveSnapshotAsync(log.NextSequence, state.Save(), CancellationToken.None);
                    sinceSaved = 0;
                }
            }
            catch (StorageException e)
            {
                LogLost(Number, e.Message);
                all.TrySetException(Moving(e.Message));
                foreach (var (_, done) in group)
                {
                    done.TrySetException(Moving(e.Message));
                }

                Lose(e.Message);
                DeactivateOnIdle();
                return;
            }
        }

        isWriting = false;
    }

    private void Lose(string why)
    {
        isLost = true;
        while (queue.TryDequeue(out var waiting))
        {
            waiting.Done.TrySetException(Moving(why));
        }
    }

    private void ThrowIfLost()
    {
        if (isLost)
        {
            throw Moving("The registry's share is being read again.");
        }
    }

    private static OrleansException Moving(string why) => new(why);

    [LoggerMessage(LogLevel.Warning, "Share {Number} of the registry is let go here: {Problem}")]
    private partial void LogLost(int number, string problem);
}
