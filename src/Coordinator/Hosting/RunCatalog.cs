using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Coordinator.Storage;
using Federated.Privacy;
using Federated.Privacy.Statements;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Hosting;

/// <summary>The runs of a store, each a document <c>runs/ID</c>.</summary>
internal sealed class RunCatalog(IDocumentStore documents)
{
    private const string Folder = "runs";

    /// <summary>Documents of form 1 name no log: it is called as the run.</summary>
    private const int Form = 3;

    /// <summary>Builds that know no later form may read all entries but those of branches that go on from an optimizer's state: they would begin it anew.</summary>
    private const int CommonForm = 2;

    /// <summary>All entries; those whose deletion a crash interrupted are told apart.</summary>
    /// <param name="withDamaged">Whether an entry that cannot be read is one with its <see cref="RunEntry.Damage"/>, and does not keep the others from being listed.</param>
    public async ValueTask<IReadOnlyList<(RunEntry Entry, bool IsDeleted)>> ListAsync(CancellationToken cancellation, bool withDamaged = false)
    {
        List<(RunEntry, bool)> entries = [];
        foreach (var id in await documents.ListAsync(Folder, cancellation).ConfigureAwait(false))
        {
            var bytes = await documents.ReadAsync($"{Folder}/{id}", cancellation).ConfigureAwait(false);
            if (bytes is null)
            {
                continue;
            }

            try
            {
                entries.Add(Read(id, bytes));
            }
            catch (Exception e) when (withDamaged && e is (DamagedException or CoordinatorException))
            {
                entries.Add((new RunEntry(id, DateTimeOffset.UnixEpoch, default, null) { Damage = e.Message }, false));
            }
        }

        return entries;
    }

    /// <returns>Null when there is no such run.</returns>
    public async ValueTask<(RunEntry Entry, bool IsDeleted)?> FindAsync(string id, CancellationToken cancellation) =>
        await documents.ReadAsync($"{Folder}/{id}", cancellation).ConfigureAwait(false) is { } bytes ? Read(id, bytes) : null;

    /// <summary>The ids of all entries, without reading them.</summary>
    public ValueTask<IReadOnlyList<string>> NamesAsync(CancellationToken cancellation) => documents.ListAsync(Folder, cancellation);

    /// <returns>False when there is an entry of that id.</returns>
    public ValueTask<bool> CreateAsync(RunEntry entry, CancellationToken cancellation) =>
        documents.CreateAsync($"{Folder}/{entry.Id}", Written(entry, isDeleted: false), cancellation);

    public ValueTask WriteAsync(RunEntry entry, bool isDeleted, CancellationToken cancellation) =>
        documents.WriteAsync($"{Folder}/{entry.Id}", Written(entry, isDeleted), cancellation);

    public ValueTask RemoveAsync(string id, CancellationToken cancellation) => documents.DeleteAsync($"{Folder}/{id}", cancellation);

    /// <summary>What a branch inherits, as bytes for the way from one silo to another.</summary>
    public static byte[] Written(PrivacyInheritance inherited) => JsonSerializer.SerializeToUtf8Bytes(InheritanceMessage.Of(inherited)!, CatalogJson.Default.InheritanceMessage);

    /// <summary>The inverse of <see cref="Written(PrivacyInheritance)"/>.</summary>
    public static PrivacyInheritance InheritanceOf(byte[] bytes) => JsonSerializer.Deserialize(bytes, CatalogJson.Default.InheritanceMessage)!.ToInheritance();

    private static byte[] Written(RunEntry entry, bool isDeleted) => JsonSerializer.SerializeToUtf8Bytes(
        new CatalogDocument(entry.Origin?.Optimizer is null ? CommonForm : Form, entry.CreatedAt, entry.Configuration.ToArray(), entry.Origin?.Run, entry.Origin?.Version ?? 0, entry.Origin?.Model, isDeleted, entry.Log)
        {
            Inherited = InheritanceMessage.Of(entry.Origin?.Inherited),
            OriginOptimizer = entry.Origin?.Optimizer,
            HasBegun = entry.HasBegun ? true : null,
        },
        CatalogJson.Default.CatalogDocument);

    private static (RunEntry Entry, bool IsDeleted) Read(string id, byte[] bytes)
    {
        try
        {
            var document = JsonSerializer.Deserialize(bytes, CatalogJson.Default.CatalogDocument) ?? throw new FormatException("It holds nothing.");
            if (document.Form is < 1 or > Form)
            {
                throw new CoordinatorException($"The catalog entry of run '{id}' is of form {document.Form}, which this build does not know; use the build that wrote it.");
            }

            var origin = document.OriginModel is { } model ? new RunOrigin(
                document.OriginRun ?? "", document.OriginVersion, model,
                document.Inherited?.ToInheritance() ?? new PrivacyInheritance(document.OriginRun ?? "", document.OriginVersion, InheritanceBasis.Unknown)) { Optimizer = document.OriginOptimizer } : null;
            return (new RunEntry(id, document.CreatedAt, document.Configuration, origin) { Log = document.Log ?? id, HasBegun = document.HasBegun == true }, document.IsDeleted);
        }
        catch (Exception e) when (e is JsonException or FormatException or PrivacyException)
        {
            throw new DamagedException($"The catalog entry of run '{id}' is damaged: {e.Message} Restore it from a backup.", e);
        }
    }
}

internal sealed record CatalogDocument(
    int Form, DateTimeOffset CreatedAt, byte[] Configuration, string? OriginRun, int OriginVersion, BlobReference? OriginModel, bool IsDeleted, string? Log)
{
    /// <summary>Builds before it was written down left it out of branches: then nobody knows it.</summary>
    public InheritanceMessage? Inherited { get; init; }

    /// <summary>Of a branch that goes on from it; form 3.</summary>
    public BlobReference? OriginOptimizer { get; init; }

    /// <summary>Builds before it was written down left it out: then an empty log counts as that of a new run.</summary>
    public bool? HasBegun { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CatalogDocument))]
[JsonSerializable(typeof(InheritanceMessage))]
internal sealed partial class CatalogJson : JsonSerializerContext;
