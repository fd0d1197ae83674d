using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>What a snapshot in the log holds: the machine's state, and which blobs go with it.</summary>
/// <param name="Versions">The model of every version that is kept, by version; the last is the current one.</param>
/// <param name="State">Optimizer and objective state of the current version; null when there is none.</param>
internal sealed record RunSnapshot(byte[] Machine, SortedDictionary<int, BlobReference> Versions, BlobReference? State)
{
    public byte[] Encode()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Machine.Length);
        writer.Write(Machine);
        writer.Write(Versions.Count);
        foreach (var (version, blob) in Versions)
        {
            writer.Write(version);
            writer.WriteBlob(blob);
        }

        writer.WriteBlob(State);
        writer.Flush();
        return bytes.ToArray();
    }

    public static RunSnapshot Decode(ReadOnlyMemory<byte> encoded)
    {
        using var reader = new BinaryReader(new MemoryStream(encoded.ToArray()));
        var machine = reader.ReadBytes(reader.ReadInt32());
        var versions = new SortedDictionary<int, BlobReference>();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            versions.Add(reader.ReadInt32(), reader.ReadBlob()!);
        }

        return new RunSnapshot(machine, versions, reader.ReadBlob());
    }
}
