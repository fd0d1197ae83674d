using Federated.Protocol.Local;
using Microsoft.Win32.SafeHandles;

namespace Federated.Shuffler.Storage;

/// <summary>Files under a root folder of this machine, readable by their owner alone.</summary>
public sealed class PhysicalDisk : IDisk
{
    private readonly string root;

    public PhysicalDisk(string root)
    {
        this.root = Path.GetFullPath(root);
        CreateFolder(this.root);
    }

    public IReadOnlyList<string> List(string folder) =>
        Directory.Exists(Full(folder)) ? [.. Directory.EnumerateFiles(Full(folder)).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)] : [];

    public bool Exists(string path) => File.Exists(Full(path));

    /// <summary>Without a buffer: reports are read in another order than they lie in.</summary>
    public Stream OpenRead(string path) => new FileStream(Full(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    public IAppending OpenAppend(string path)
    {
        var full = Full(path);
        CreateFolder(Path.GetDirectoryName(full)!);
        var handle = File.OpenHandle(full, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(handle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return new Appending(handle);
    }

    public void Truncate(string path, long length)
    {
        using var handle = File.OpenHandle(Full(path), FileMode.Open, FileAccess.Write, FileShare.Read);
        RandomAccess.SetLength(handle, length);
        RandomAccess.FlushToDisk(handle);
    }

    public void Rewrite(string path)
    {
        using var handle = File.OpenHandle(Full(path), FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        var buffer = new byte[(int)Math.Clamp(RandomAccess.GetLength(handle), 1, 1 << 20)];
        for (long at = 0, read; (read = RandomAccess.Read(handle, buffer, at)) > 0; at += read)
        {
            RandomAccess.Write(handle, buffer.AsSpan(0, (int)read), at);
        }

        RandomAccess.FlushToDisk(handle);
    }

    public void Rename(string from, string to) => File.Move(Full(from), Full(to), overwrite: true);

    public void Delete(string path) => File.Delete(Full(path));

    public void SyncFolder(string folder) => FolderSync.Flush(Full(folder));

    private static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private string Full(string path) => Path.Combine(root, path);

    private sealed class Appending(SafeFileHandle handle) : IAppending
    {
        public long Length { get; private set; } = RandomAccess.GetLength(handle);

        public void Append(ReadOnlySpan<byte> bytes)
        {
            RandomAccess.Write(handle, bytes, Length);
            Length += bytes.Length;
        }

        public void Sync() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}
