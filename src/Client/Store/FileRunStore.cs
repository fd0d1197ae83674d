using System.Text.Json;
using Federated.Protocol;
using Federated.Protocol.Local;

namespace Federated.Client.Store;

/// <summary>One run's part of a state folder.</summary>
/// <remarks>
/// <code>
/// memory                    the client's memory
/// pending/DIGEST            the parts of an update
/// pending/memory            the memory as it will be
/// pending/update.json       written last: with it the update is pending, without it the rest is left over from a crash
/// </code>
/// Accepting moves pending/memory over memory, then removes update.json: a crash in between is recognised by the missing file, and the
/// coordinator's answer to a repeated declaration is the same.
/// </remarks>
internal sealed class FileRunStore : IRunStore
{
    private const string Memory = "memory";

    private readonly string folder;
    private readonly string pendingFolder;

    public FileRunStore(string folder)
    {
        this.folder = folder;
        pendingFolder = Path.Combine(folder, "pending");
        DurableFiles.CreateFolder(folder);
        DurableFiles.CreateFolder(pendingFolder);
        FolderSync.Flush(Path.GetDirectoryName(folder)!);
        Pending = Read();
        if (Pending is null)
        {
            Clear();
        }
    }

    public PendingUpdate? Pending { get; private set; }

    private string UpdatePath => Path.Combine(pendingFolder, "update.json");

    private string MemoryPath => Path.Combine(folder, Memory);

    private string PendingMemoryPath => Path.Combine(pendingFolder, Memory);

    public BlobReference WritePart(Action<Stream> write)
    {
        BlobReference part = null!;
        var path = Path.Combine(pendingFolder, "part.tmp");
        DurableFiles.WriteSynced(path, file =>
        {
            using var hashing = new HashingStream(file);
            write(hashing);
            part = hashing.Finish();
        });
        File.Move(path, PartPath(part), overwrite: true);
        return part;
    }

    public Stream OpenPart(BlobReference part) => new FileStream(PartPath(part), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);

    public Stream? OpenMemory() => File.Exists(MemoryPath) ? new FileStream(MemoryPath, FileMode.Open, FileAccess.Read, FileShare.Read) : null;

    public void Stage(PendingUpdate pending, Action<Stream>? writeMemory)
    {
        if (writeMemory is not null)
        {
            DurableFiles.WriteSynced(PendingMemoryPath, writeMemory);
        }

        FolderSync.Flush(pendingFolder); // The names of all parts, before the one that makes them count.
        DurableFiles.Write(UpdatePath, file => JsonSerializer.Serialize(file, pending, StoreJson.Default.PendingUpdate));
        Pending = pending;
    }

    public void Accept()
    {
        if (Pending is { HasMemory: true } && File.Exists(PendingMemoryPath))
        {
            File.Move(PendingMemoryPath, MemoryPath, overwrite: true);
            FolderSync.Flush(folder);
        }

        End();
    }

    public void Discard() => End();

    private void End()
    {
        File.Delete(UpdatePath);
        FolderSync.Flush(pendingFolder);
        Pending = null;
        Clear();
    }

    private void Clear()
    {
        foreach (var path in Directory.EnumerateFiles(pendingFolder))
        {
            File.Delete(path);
        }
    }

    private string PartPath(BlobReference part) => Path.Combine(pendingFolder, part.Sha256);

    private PendingUpdate? Read()
    {
        if (!File.Exists(UpdatePath))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(UpdatePath), StoreJson.Default.PendingUpdate);
        }
        catch (JsonException e)
        {
            throw new ClientException($"{UpdatePath} is damaged: {e.Message} Remove the folder {pendingFolder}; that update is lost, nothing else.", e);
        }
    }
}
