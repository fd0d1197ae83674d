namespace Federated.Coordinator.Storage.Files;

/// <summary>Documents as files, written aside, synced and renamed.</summary>
public sealed class FileDocumentStore(IFileSystem files, string folder) : IDocumentStore
{
    /// <summary>A name that no document has, since theirs begin with a letter or digit.</summary>
    private const string Unfinished = ".new-";

    private readonly Lock gate = new();

    public ValueTask<byte[]?> ReadAsync(string name, CancellationToken cancellation)
    {
        var path = PathOf(name);
        lock (gate)
        {
            if (!files.Exists(path))
            {
                return ValueTask.FromResult<byte[]?>(null);
            }

            using var stream = files.OpenRead(path);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return ValueTask.FromResult<byte[]?>(copy.ToArray());
        }
    }

    public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        lock (gate)
        {
            if (files.Exists(PathOf(name)))
            {
                return ValueTask.FromResult(false);
            }

            Write(name, content);
            return ValueTask.FromResult(true);
        }
    }

    public ValueTask WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        lock (gate)
        {
            Write(name, content);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        var path = PathOf(name);
        lock (gate)
        {
            Guard(name, () =>
            {
                if (files.Exists(path))
                {
                    files.Delete(path);
                    files.SyncFolder(path[..path.LastIndexOf('/')]);
                }
            });
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<string>> ListAsync(string folder, CancellationToken cancellation)
    {
        var path = PathOf(folder);
        lock (gate)
        {
            return ValueTask.FromResult<IReadOnlyList<string>>([.. files.List(path).Where(n => !n.StartsWith('.'))]);
        }
    }

    private void Write(string name, ReadOnlyMemory<byte> content)
    {
        var path = PathOf(name);
        var (parent, last) = (path[..path.LastIndexOf('/')], path[(path.LastIndexOf('/') + 1)..]);
        var aside = $"{parent}/{Unfinished}{last}";
        Guard(name, () =>
        {
            if (files.Exists(aside))
            {
                files.Delete(aside); // Left by a crash.
            }

            using (var file = files.OpenAppend(aside))
            {
                file.Append(content.Span);
                file.Sync();
            }

            files.Rename(aside, path);
            SyncUp(parent);
        });
    }

    /// <summary>A new folder's own name must be durable too.</summary>
    private void SyncUp(string parent)
    {
        for (var at = parent; at.Length >= folder.Length; at = at[..at.LastIndexOf('/')])
        {
            files.SyncFolder(at);
            if (!at.Contains('/'))
            {
                break;
            }
        }
    }

    private string PathOf(string name)
    {
        DocumentNames.Check(name);
        return $"{folder}/{name}";
    }

    private static void Guard(string name, Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw new StorageException($"Writing document '{name}' failed: {e.Message} Free space or mend the disk.", e);
        }
    }
}
