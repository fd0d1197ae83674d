using Federated.Coordinator.Storage.Files;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>The disk as one process has it: when the process is killed, nothing it still tries reaches the disk.</summary>
internal sealed class MortalFileSystem(IFileSystem disk) : IFileSystem
{
    private volatile bool killed;

    private IFileSystem Disk => killed ? throw new CrashException() : disk;

    public void Kill() => killed = true;

    public IReadOnlyList<string> List(string folder) => Disk.List(folder);

    public bool Exists(string path) => Disk.Exists(path);

    public long Length(string path) => Disk.Length(path);

    public Stream OpenRead(string path) => Disk.OpenRead(path);

    public IAppendFile OpenAppend(string path) => new AppendFile(this, Disk.OpenAppend(path));

    public void Truncate(string path, long length) => Disk.Truncate(path, length);

    public void Rename(string from, string to) => Disk.Rename(from, to);

    public void Delete(string path) => Disk.Delete(path);

    public void SyncFolder(string folder) => Disk.SyncFolder(folder);

    private sealed class AppendFile(MortalFileSystem process, IAppendFile file) : IAppendFile
    {
        private IAppendFile File => process.killed ? throw new CrashException() : file;

        public long Length => File.Length;

        public void Append(ReadOnlySpan<byte> bytes) => File.Append(bytes);

        public void Sync() => File.Sync();

        public void Dispose() => file.Dispose();
    }
}
