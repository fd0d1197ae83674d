using System.Runtime.InteropServices;

namespace Federated.Protocol.Local;

/// <summary>Makes the names in a folder durable: on Linux and macOS a new or renamed file may be gone after a crash without it; on Windows NTFS journals names.</summary>
/// <remarks>Here because client, coordinator and shuffler all store what they promise, and have nothing else in common.</remarks>
internal static partial class FolderSync
{
    /// <param name="path">Of the folder.</param>
    /// <exception cref="IOException">The folder cannot be opened or synced.</exception>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(path, 0);
        if (descriptor < 0)
        {
            throw new IOException($"Cannot open folder '{path}' to make its entries durable (errno {Marshal.GetLastPInvokeError()}).");
        }

        try
        {
            if (Sync(descriptor) != 0)
            {
                throw new IOException($"Cannot sync folder '{path}' (errno {Marshal.GetLastPInvokeError()}).");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
