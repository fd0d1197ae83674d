using Federated.Protocol.Local;

namespace Federated.Client.Store;

/// <summary>Files that are there whole or not at all, whenever the power goes.</summary>
internal static class DurableFiles
{
    private const string Temporary = ".tmp";

    /// <summary>Writes a file under another name, syncs it, and gives it its own.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        WriteSynced(path + Temporary, write);
        File.Move(path + Temporary, path, overwrite: true);
        FolderSync.Flush(Path.GetDirectoryName(path)!);
    }

    /// <summary>Writes a file and syncs its bytes, not yet its name. Only the owner may read it: it may hold a key, or what was learnt from private data.</summary>
    public static void WriteSynced(string path, Action<Stream> write)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 64 << 10 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        write(file);
        file.Flush(flushToDisk: true);
    }

    public static void CreateFolder(string path)
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
}
