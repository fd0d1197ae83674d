using System.Collections.Immutable;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>What a snapshot in the log holds: the machine's state, which blobs go with it, and the state of everything beside them.</summary>
/// <param name="Versions">The blobs of every version that is kept, by version; the last is the current one.</param>
/// <param name="State">Aggregator, optimizer and objective state of the current version; null when there is none.</param>
/// <param name="Inline">Small updates that are accepted and not yet published.</param>
/// <param name="Sections">State beside machine and model, by name.</param>
internal sealed record RunSnapshot(
    byte[] Machine,
    ImmutableSortedDictionary<int, VersionBlobs> Versions,
    BlobReference? State,
    IReadOnlyList<InlineBlob> Inline,
    SortedDictionary<string, byte[]> Sections)
{
    /// <summary>First byte: the form below.</summary>
    private const byte Form = 0xF1;

    public byte[] Encode()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Form);
        WriteBytes(writer, Machine);
        writer.Write(Versions.Count);
        foreach (var (version, blobs) in Versions)
        {
            writer.Write(version);
            blobs.Write(writer);
        }

        writer.WriteBlob(State);
        writer.Write(Inline.Count);
        foreach (var (reference, content) in Inline)
        {
            writer.WriteBlob(reference);
            writer.Write(content.Span);
        }

        writer.Write(Sections.Count);
        foreach (var (name, content) in Sections)
        {
            writer.Write(name);
            WriteBytes(writer, content);
        }

        writer.Flush();
        return bytes.ToArray();
    }

    /// <exception cref="CoordinatorException">The snapshot is of another form.</exception>
    public static RunSnapshot Decode(ReadOnlyMemory<byte> encoded)
    {
        using var reader = new BinaryReader(new ReadOnlyMemoryStream(encoded));
        if (reader.ReadByte() is var form && form != Form)
        {
            throw new CoordinatorException($"The run's snapshot is of form {form:x2}, which this build does not know; use the build that wrote it or a newer one.");
        }

        var machine = reader.ReadBytes(reader.ReadInt32());
        var versions = ImmutableSortedDictionary.CreateBuilder<int, VersionBlobs>();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            versions.Add(reader.ReadInt32(), VersionBlobs.Read(reader));
        }

        var state = reader.ReadBlob();
        var inline = new InlineBlob[reader.ReadInt32()];
        for (var i = 0; i < inline.Length; i++)
        {
            var reference = reader.ReadBlob()!;
            inline[i] = new InlineBlob(reference, reader.ReadBytes((int)reference.Length));
        }

        var sections = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            sections.Add(reader.ReadString(), reader.ReadBytes(reader.ReadInt32()));
        }

        return new RunSnapshot(machine, versions.ToImmutable(), state, inline, sections);
    }

    private static void WriteBytes(BinaryWriter writer, byte[] bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }
}
