namespace Federated.Coordinator.Storage.Files;

/// <summary>
/// The few file operations that durability rests on, so that a test can crash between any two of them. Paths are relative to a root,
/// with '/' between names.
/// </summary>
public interface IFileSystem
{
    /// <summary>Names of the files directly in a folder; none when there is no such folder.</summary>
    IReadOnlyList<string> List(string folder);

    bool Exists(string path);

    long Length(string path);

    Stream OpenRead(string path);

    /// <summary>Opens for appending, creating file and folders as needed. What is written is durable only after <see cref="IAppendFile.Sync"/>.</summary>
    IAppendFile OpenAppend(string path);

    /// <summary>Cuts a file to a length, durably.</summary>
    void Truncate(string path, long length);

    /// <summary>Puts a synced file in another's place, atomically; durable only after <see cref="SyncFolder"/>.</summary>
    void Rename(string from, string to);

    /// <summary>Takes a file over from outside of the root, by its name where that is possible; what is in it is durable only after <see cref="IAppendFile.Sync"/>.</summary>
    /// <param name="outside">A path of this machine; gone afterwards.</param>
    /// <returns>False where files cannot come from outside; then nothing has happened.</returns>
    bool TryTakeOver(string outside, string path) => false;

    void Delete(string path);

    /// <summary>Makes creations, renames and deletions in a folder durable.</summary>
    void SyncFolder(string folder);
}

/// <summary>A file open for appending.</summary>
public interface IAppendFile : IDisposable
{
    long Length { get; }

    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Returns when everything appended is on the medium.</summary>
    void Sync();
}
