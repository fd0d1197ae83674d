using System.Collections.Immutable;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>The blobs of one published version.</summary>
/// <param name="Model">The parameters that clients train from (safetensors).</param>
/// <param name="Extras">Vectors that go down beside them (SCAFFOLD's c), by name.</param>
/// <param name="Deployed">The model to evaluate and to ship, where the objective has one of its own (FedDyn); else the same as <paramref name="Model"/>.</param>
public sealed record VersionBlobs(BlobReference Model, ImmutableSortedDictionary<string, BlobReference> Extras, BlobReference Deployed)
{
    /// <summary>All of them, each once.</summary>
    public IEnumerable<BlobReference> All => Extras.Values.Append(Model).Append(Deployed).Distinct();

    internal void Write(BinaryWriter writer)
    {
        writer.WriteBlob(Model);
        writer.WriteBlob(Deployed);
        writer.Write(Extras.Count);
        foreach (var (name, blob) in Extras)
        {
            writer.Write(name);
            writer.WriteBlob(blob);
        }
    }

    internal static VersionBlobs Read(BinaryReader reader)
    {
        var (model, deployed) = (reader.ReadBlob()!, reader.ReadBlob()!);
        var extras = ImmutableSortedDictionary.CreateBuilder<string, BlobReference>(StringComparer.Ordinal);
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            extras.Add(reader.ReadString(), reader.ReadBlob()!);
        }

        return new VersionBlobs(model, extras.ToImmutable(), deployed);
    }
}
