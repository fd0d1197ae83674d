using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Coordinator.Identity;
using Federated.Privacy;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Shuffling;

/// <summary>The coordinator's keys for shuffled runs, and the shufflers that its operator has registered, with their keys.</summary>
/// <remarks>One file, mode 0600, written whole. Thread-safe. Entries are never changed in place: whoever holds one may go on using it.</remarks>
internal sealed class ShufflingBook
{
    private readonly string path;
    private readonly Lock gate = new();
    private readonly HpkePrivateKey tickets;
    private volatile ImmutableSortedDictionary<string, Registered> shufflers;

    private ShufflingBook(string path, HpkePrivateKey analyzer, HpkePrivateKey tickets, IEnumerable<ShufflerMessage> registered)
    {
        (this.path, Analyzer, this.tickets) = (path, analyzer, tickets);
        shufflers = registered.Select(Open).ToImmutableSortedDictionary(r => r.Message.Name, r => r, StringComparer.Ordinal);
    }

    /// <summary>Opens reports.</summary>
    public HpkePrivateKey Analyzer { get; }

    public string AnalyzerKey => Base64Url.EncodeToString(Analyzer.Point);

    public string TicketsKey => Base64Url.EncodeToString(tickets.Point);

    public IReadOnlyList<ShufflerMessage> Shufflers => [.. shufflers.Values.Select(r => r.Message)];

    /// <exception cref="CoordinatorException">The file is damaged.</exception>
    public static ShufflingBook Open(string path)
    {
        if (!File.Exists(path))
        {
            var made = new ShufflingBook(path, HpkePrivateKey.Generate(), HpkePrivateKey.Generate(), []);
            made.Save(made.shufflers);
            return made;
        }

        try
        {
            var stored = JsonSerializer.Deserialize(File.ReadAllBytes(path), ShufflingBookJson.Default.Stored)!;
            return new ShufflingBook(
                path, HpkePrivateKey.Import(Convert.FromBase64String(stored.Analyzer)), HpkePrivateKey.Import(Convert.FromBase64String(stored.Tickets)), stored.Shufflers);
        }
        catch (Exception e) when (e is JsonException or FormatException or PrivacyException)
        {
            throw new CoordinatorException($"{path} is damaged: {e.Message} Restore it; with new keys every shuffler would have to be set up anew.", e);
        }
    }

    public Registered? Find(string name) => shufflers.GetValueOrDefault(name);

    /// <summary>Registers a shuffler, in place of one of the same name.</summary>
    /// <returns>Why it cannot be; null when it is.</returns>
    public string? Add(ShufflerMessage shuffler)
    {
        if (!Identifier.IsValid(shuffler.Name))
        {
            return "A name is 1 to 63 lower-case letters, digits and hyphens, not beginning with a hyphen.";
        }

        if (!Uri.TryCreate(shuffler.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || (url.Scheme == "http" && !url.IsLoopback))
        {
            return $"'{shuffler.Url}' is no address that clients can reach safely: https://…, or http:// on loopback.";
        }

        Registered opened;
        try
        {
            opened = Open(shuffler);
        }
        catch (Exception e) when (e is PrivacyException or CryptographicException or FormatException or ArgumentException)
        {
            return $"The keys are not a shuffler's: {e.Message} fed shuffler keys prints them.";
        }

        Change(present => present.SetItem(shuffler.Name, opened));
        return null;
    }

    /// <returns>False when there is none of that name.</returns>
    public bool Remove(string name)
    {
        var isThere = shufflers.ContainsKey(name);
        Change(present => present.Remove(name));
        return isThere;
    }

    private Registered Open(ShufflerMessage shuffler)
    {
        var signing = ECDsa.Create();
        signing.ImportSubjectPublicKeyInfo(Base64Url.DecodeFromChars(shuffler.SigningKey), out _);
        using var sealing = HpkePublicKey.Read(Base64Url.DecodeFromChars(shuffler.SealingKey));
        return new Registered(shuffler, signing, new TicketKey(tickets.Agree(sealing, TicketKey.Label)));
    }

    private void Change(Func<ImmutableSortedDictionary<string, Registered>, ImmutableSortedDictionary<string, Registered>> change)
    {
        lock (gate)
        {
            var changed = change(shufflers);
            Save(changed);
            shufflers = changed;
        }
    }

    private void Save(ImmutableSortedDictionary<string, Registered> registered) => PrivateFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(
        new Stored(Convert.ToBase64String(Analyzer.Export()), Convert.ToBase64String(tickets.Export()), [.. registered.Values.Select(r => r.Message)]),
        ShufflingBookJson.Default.Stored));

    /// <summary>A shuffler with its keys read.</summary>
    /// <param name="Signing">Checks its batches; thread-safe for that.</param>
    /// <param name="Tickets">Writes tickets for it.</param>
    internal sealed record Registered(ShufflerMessage Message, ECDsa Signing, TicketKey Tickets);

    internal sealed record Stored(string Analyzer, string Tickets, IReadOnlyList<ShufflerMessage> Shufflers);
}

[JsonSerializable(typeof(ShufflingBook.Stored))]
internal sealed partial class ShufflingBookJson : JsonSerializerContext;
