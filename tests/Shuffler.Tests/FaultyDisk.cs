using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Shuffler.Storage;

namespace Federated.Shuffler.Tests;

/// <summary>The coordinator's faulty disk, for a shuffler.</summary>
internal sealed class FaultyDisk(FaultyFileSystem disk) : IDisk
{
    public IReadOnlyList<string> List(string folder) => disk.List(folder);

    public bool Exists(string path) => disk.Exists(path);

    public Stream OpenRead(string path) => disk.OpenRead(path);

    public IAppending OpenAppend(string path) => new Appending(disk.OpenAppend(path));

    public void Truncate(string path, long length) => disk.Truncate(path, length);

    public void Rewrite(string path) => disk.Rewrite(path);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void SyncFolder(string folder) => disk.SyncFolder(folder);

    private sealed class Appending(IAppendFile file) : IAppending
    {
        public long Length => file.Length;

        public void Append(ReadOnlySpan<byte> bytes) => file.Append(bytes);

        public void Sync() => file.Sync();

        public void Dispose() => file.Dispose();
    }
}
