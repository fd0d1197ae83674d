using System.Buffers.Binary;
using System.IO.Compression;

namespace Federated.Training.Data.Loading;

/// <summary>
/// A binary file read once from front to back, plain or gzip (told apart by the first two bytes, not by the name), whose every failure
/// says the file, the offset in the uncompressed content, what was needed and what was there.
/// </summary>
internal sealed class BinaryFile : IDisposable
{
    // Deflate's best case is 1032:1 (zlib's technical notes); a header that claims more than that of a compressed file lies.
    private const int LargestDeflateRatio = 1032;

    private readonly Stream file;
    private readonly Stream content;
    private readonly bool compressed;

    private BinaryFile(string path, Stream file, bool compressed)
    {
        (Path, this.file, this.compressed) = (path, file, compressed);
        content = compressed ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    public string Path { get; }

    /// <summary>Bytes of uncompressed content read so far.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes of the file itself.</summary>
    public long Length => file.Length;

    /// <summary>Opens the file; one that is missing is an error that names it.</summary>
    public static BinaryFile Open(string path) => Open(path, DataFiles.OpenRead(path, bufferSize: 64 * 1024));

    /// <summary>Opens a file within a zip archive, found by its name whatever its folder; it is held in memory as the archive has it.</summary>
    public static BinaryFile OpenInZip(string archivePath, string name)
    {
        try
        {
            using var archive = new ZipArchive(DataFiles.OpenRead(archivePath), ZipArchiveMode.Read);
            var entry = archive.Entries.FirstOrDefault(entry => entry.Name == name)
                ?? throw new TrainingException($"{archivePath}: the archive has no file {name}; it is another archive.");
            if (entry.Length > Array.MaxLength)
            {
                throw new TrainingException($"{archivePath}: {name} claims {entry.Length} bytes; at most {Array.MaxLength} are read.");
            }

            var content = new MemoryStream();
            using (var stream = entry.Open())
            {
                // The entry's stream ends at the length that the archive states, whatever is compressed in it.
                stream.CopyTo(content);
            }

            content.Position = 0;
            return content.Length == entry.Length
                ? Open($"{archivePath}, {name}", content)
                : throw new TrainingException($"{archivePath}: {name} has {content.Length} of {entry.Length} bytes; the archive is cut short. Get it again.");
        }
        catch (InvalidDataException e)
        {
            throw new TrainingException($"{archivePath}: the archive is damaged or cut short ({e.Message}) Get it again.", e);
        }
    }

    private static BinaryFile Open(string path, Stream file)
    {
        try
        {
            Span<byte> start = stackalloc byte[2];
            var read = file.ReadAtLeast(start, 2, throwOnEndOfStream: false);
            file.Position = 0;
            return new BinaryFile(path, file, read == 2 && start[0] == 0x1f && start[1] == 0x8b);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Fills <paramref name="target"/> or fails, saying how far the content went.</summary>
    public void ReadExactly(Span<byte> target, string what)
    {
        var read = Read(target);
        if (read < target.Length)
        {
            throw new TrainingException(
                $"{Path}: the {(compressed ? "gzip content" : "file")} ends at byte {Position}, within {what}; it is cut short. Get the file again.");
        }
    }

    /// <summary>Reads until <paramref name="target"/> is full or the content ends, and returns how many bytes there were.</summary>
    public int Read(Span<byte> target)
    {
        try
        {
            var read = content.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
            Position += read;
            return read;
        }
        catch (InvalidDataException e)
        {
            throw new TrainingException($"{Path}: the gzip content is damaged or cut short after byte {Position} ({e.Message}) Get the file again.", e);
        }
    }

    /// <summary>Fails unless this file can hold <paramref name="bytes"/> more bytes of content and an array can hold them.</summary>
    public void RequireCapacity(UInt128 bytes, string what)
    {
        var possible = compressed ? (UInt128)file.Length * LargestDeflateRatio : (UInt128)(file.Length - Position);
        if (bytes > possible)
        {
            throw new TrainingException(
                $"{Path}: the header claims {what}, which need {bytes} bytes after offset {Position}; "
                + $"the {file.Length}-byte file can hold at most {possible}. The header lies, or the file is cut short.");
        }

        if (bytes > (UInt128)Array.MaxLength)
        {
            throw new TrainingException($"{Path}: {what} are more than the {Array.MaxLength} that one data set can hold.");
        }
    }

    /// <summary>
    /// Fails unless the content ends here. Reading past the last byte makes gzip check its checksum; GZipStream takes a trailer that is cut
    /// short for a whole one, so the length that the trailer states (RFC 1952, ISIZE) is compared too.
    /// </summary>
    public void ExpectEnd(string what)
    {
        Span<byte> one = stackalloc byte[1];
        if (Read(one) != 0)
        {
            throw new TrainingException($"{Path}: {what} end at byte {Position - 1}, but the file goes on; the header's counts do not fit the content.");
        }

        if (compressed)
        {
            Span<byte> trailer = stackalloc byte[4];
            file.Position = file.Length - 4;
            file.ReadExactly(trailer);
            var stated = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
            if (stated != (uint)Position)
            {
                throw new TrainingException(
                    $"{Path}: the gzip trailer states {stated} bytes of content, there are {Position}; the file is cut short or joined from several. Get the file again, or gunzip it.");
            }
        }
    }

    public void Dispose()
    {
        content.Dispose();
        file.Dispose();
    }
}
