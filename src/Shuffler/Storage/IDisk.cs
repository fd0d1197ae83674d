namespace Federated.Shuffler.Storage;

/// <summary>
/// The few file operations that the shuffler's durability rests on, so that a test can crash between any two of them. Paths are relative to
/// a root, with '/' between names.
/// </summary>
/// <remarks>The coordinator has the like; a shuffler shares no code with it, since another operator runs it.</remarks>
public interface IDisk
{
    /// <summary>Names of the files directly in a folder; none when there is no such folder.</summary>
    IReadOnlyList<string> List(string folder);

    bool Exists(string path);

    /// <summary>Opens for reading at any position.</summary>
    Stream OpenRead(string path);

    /// <summary>Opens for appending, creating file and folders as needed. What is written is durable only after <see cref="IAppending.Sync"/>.</summary>
    IAppending OpenAppend(string path);

    /// <summary>Cuts a file to a length, durably.</summary>
    void Truncate(string path, long length);

    /// <summary>Makes durable what can be read of a file, whatever became of what was written to it before: every byte is written again in its place, and synced.</summary>
    /// <remarks>
    /// After a failed sync Linux takes what it could not write for written: it can be read until memory is short, and every later sync succeeds without it
    /// (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). In place, since a full disk has no room for a copy; the same bytes, so that
    /// a crash in the middle changes nothing.
    /// </remarks>
    void Rewrite(string path);

    /// <summary>Puts a synced file in another's place, atomically; durable only after <see cref="SyncFolder"/>.</summary>
    void Rename(string from, string to);

    void Delete(string path);

    /// <summary>Makes creations, renames and deletions in a folder durable.</summary>
    void SyncFolder(string folder);
}

/// <summary>A file open for appending.</summary>
public interface IAppending : IDisposable
{
    long Length { get; }

    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Returns when everything appended is on the medium.</summary>
    void Sync();
}
