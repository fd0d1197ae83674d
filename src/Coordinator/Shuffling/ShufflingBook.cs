using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Storage;
using Federated.Privacy;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Shuffling;

/// <summary>The coordinator's keys for shuffled runs, and the shufflers that its operator has registered, with their keys.</summary>
/// <remarks>
/// All silos of a cluster have the same: what one of them registers is found by the others at once, what one removes is forgotten by the others after a lease.
/// Thread-safe. Entries are never changed in place: whoever holds one may go on using it.
/// </remarks>
internal sealed class ShufflingBook
{
    private readonly IShufflerRegister register;
    private readonly HpkePrivateKey tickets;
    private readonly TimeSpan lease;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<string, (Registered Entry, long ReadAt)> opened = new(StringComparer.Ordinal);

    private ShufflingBook(IShufflerRegister register, HpkePrivateKey analyzer, HpkePrivateKey tickets, TimeSpan lease, TimeProvider clock) =>
        (this.register, Analyzer, this.tickets, this.lease, this.clock) = (register, analyzer, tickets, lease, clock);

    /// <summary>Opens reports.</summary>
    public HpkePrivateKey Analyzer { get; }

    public string AnalyzerKey => Base64Url.EncodeToString(Analyzer.Point);

    public string TicketsKey => Base64Url.EncodeToString(tickets.Point);

    /// <summary>Of a coordinator that is alone.</summary>
    /// <exception cref="CoordinatorException">The file is damaged.</exception>
    public static ShufflingBook Open(string path, TimeProvider clock)
    {
        var file = ShufflerFile.Open(path);
        return new ShufflingBook(file, file.Analyzer, file.Tickets, TimeSpan.Zero, clock);
    }

    /// <summary>Of a cluster.</summary>
    /// <param name="lease">How long a shuffler that another silo has removed may be found here.</param>
    /// <exception cref="CoordinatorException">The keys are damaged.</exception>
    public static async ValueTask<ShufflingBook> OpenAsync(IDocumentStore documents, TimeSpan lease, TimeProvider clock, CancellationToken cancellation)
    {
        var shared = await ShufflerDocuments.OpenAsync(documents, cancellation).ConfigureAwait(false);
        return new ShufflingBook(shared, shared.Analyzer, shared.Tickets, lease, clock);
    }

    public ValueTask<IReadOnlyList<ShufflerMessage>> ListAsync(CancellationToken cancellation) => register.ListAsync(cancellation);

    /// <returns>Null when there is none of that name.</returns>
    public async ValueTask<Registered?> FindAsync(string name, CancellationToken cancellation)
    {
        if (!Identifier.IsValid(name))
        {
            return null;
        }

        if (opened.TryGetValue(name, out var known) && clock.GetElapsedTime(known.ReadAt) < lease)
        {
            return known.Entry;
        }

        var now = clock.GetTimestamp();
        if (await register.ReadAsync(name, cancellation).ConfigureAwait(false) is not { } message)
        {
            opened.TryRemove(name, out _);
            return null;
        }

        var entry = known.Entry is { } before && before.Message == message ? before : Open(message);
        opened[name] = (entry, now);
        return entry;
    }

    /// <summary>Registers a shuffler, in place of one of the same name.</summary>
    /// <returns>Why it cannot be; null when it is.</returns>
    public async ValueTask<string?> AddAsync(ShufflerMessage shuffler, CancellationToken cancellation)
    {
        if (!Identifier.IsValid(shuffler.Name))
        {
            return "A name is 1 to 63 lower-case letters, digits and hyphens, not beginning with a hyphen.";
        }

        if (!Uri.TryCreate(shuffler.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || (url.Scheme == "http" && !url.IsLoopback))
        {
            return $"'{shuffler.Url}' is no address that clients can reach safely: https://…, or http:// on loopback.";
        }

        try
        {
            _ = Open(shuffler);
        }
        catch (Exception e) when (e is PrivacyException or CryptographicException or FormatException or ArgumentException or PlatformNotSupportedException)
        {
            return $"The keys are not a shuffler's: {e.Message} fed shuffler keys prints them.";
        }

        await register.WriteAsync(shuffler, cancellation).ConfigureAwait(false);
        opened.TryRemove(shuffler.Name, out _);
        return null;
    }

    /// <returns>False when there is none of that name.</returns>
    public async ValueTask<bool> RemoveAsync(string name, CancellationToken cancellation)
    {
        var isThere = Identifier.IsValid(name) && await register.ReadAsync(name, cancellation).ConfigureAwait(false) is not null;
        if (isThere)
        {
            await register.RemoveAsync(name, cancellation).ConfigureAwait(false);
            opened.TryRemove(name, out _);
        }

        return isThere;
    }

    private Registered Open(ShufflerMessage shuffler)
    {
        var signing = ECDsa.Create();
        signing.ImportSubjectPublicKeyInfo(Base64Url.DecodeFromChars(shuffler.SigningKey), out _);
        using var sealing = HpkePublicKey.Read(Base64Url.DecodeFromChars(shuffler.SealingKey));
        return new Registered(shuffler, signing, new TicketKey(tickets.Agree(sealing, TicketKey.Label)));
    }

    /// <summary>A shuffler with its keys read.</summary>
    /// <param name="Signing">Checks its batches; thread-safe for that.</param>
    /// <param name="Tickets">Writes tickets for it.</param>
    internal sealed record Registered(ShufflerMessage Message, ECDsa Signing, TicketKey Tickets);
}
