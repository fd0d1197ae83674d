using Federated.Protocol.Local;
using Microsoft.Win32.SafeHandles;

namespace Federated.Coordinator.Storage.Files;

/// <summary>Files under a root folder of this machine.</summary>
public sealed class PhysicalFileSystem : IFileSystem
{
    private readonly string root;

    public PhysicalFileSystem(string root)
    {
        this.root = Path.GetFullPath(root);
        Directory.CreateDirectory(this.root);
    }

    public IReadOnlyList<string> List(string folder)
    {
        var path = Full(folder);
        return Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)] : [];
    }

    public bool Exists(string path) => File.Exists(Full(path));

    public long Length(string path) => new FileInfo(Full(path)).Length;

    public Stream OpenRead(string path) =>
        new FileStream(Full(path), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, useAsync: false);

    public IAppendFile OpenAppend(string path)
    {
        var full = Full(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return new AppendFile(File.OpenHandle(full, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read));
    }

    public void Truncate(string path, long length)
    {
        using var handle = File.OpenHandle(Full(path), FileMode.Open, FileAccess.Write, FileShare.None);
        RandomAccess.SetLength(handle, length);
        RandomAccess.FlushToDisk(handle);
    }

    public void Rename(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Full(to))!);
        File.Move(Full(from), Full(to), overwrite: true);
    }

    public bool TryTakeOver(string outside, string path)
    {
        var full = Full(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.Move(outside, full, overwrite: true);
        return true;
    }

    public void Delete(string path) => File.Delete(Full(path));

    public void SyncFolder(string folder) => FolderSync.Flush(Full(folder));

    private string Full(string path)
    {
        var full = Path.GetFullPath(Path.Combine(root, path));
        return full == root || full.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? full
            : throw new StorageException($"The path '{path}' leaves the data folder.");
    }

    private sealed class AppendFile : IAppendFile
    {
        private readonly SafeFileHandle handle;

        public AppendFile(SafeFileHandle handle)
        {
            this.handle = handle;
            Length = RandomAccess.GetLength(handle);
        }

        public long Length { get; private set; }

        public void Append(ReadOnlySpan<byte> bytes)
        {
            RandomAccess.Write(handle, bytes, Length);
            Length += bytes.Length;
        }

        public void Sync() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}
