using System.Buffers;
using System.Security.Cryptography;
using Federated.Protocol;

namespace Federated.Coordinator.Http;

/// <summary>One blob that arrives in pieces.</summary>
/// <remarks>One request at a time writes to it: the others are told to come back.</remarks>
internal sealed class Upload(UploadTicket ticket, string partPath, TimeProvider clock)
{
    private const int BufferLength = 256 << 10;

    private int busy;
    private long touched = clock.GetUtcNow().UtcTicks;
    private FileStream? file;
    private IncrementalHash? hash;

    public string Id => ticket.Id;

    /// <summary>The client that it belongs to.</summary>
    public string Client => ticket.Client;

    public BlobReference Blob { get; } = new(ticket.Sha256, ticket.Length);

    public string PartPath => partPath;

    public DateTimeOffset LastTouched => new(Volatile.Read(ref touched), TimeSpan.Zero);

    /// <summary>Bytes that are there.</summary>
    public long Offset => file is { } present ? present.Length : File.Exists(partPath) ? Math.Min(new FileInfo(partPath).Length, Blob.Length) : 0;

    /// <summary>Makes this request the one that writes; false when another one does.</summary>
    public bool TryEnter() => Interlocked.CompareExchange(ref busy, 1, 0) == 0;

    public void Leave() => Volatile.Write(ref busy, 0);

    /// <summary>Appends what the body brings, as far as it comes.</summary>
    /// <returns>False when the body brought more than was announced.</returns>
    public async Task<bool> AppendAsync(Stream body, CancellationToken cancellation)
    {
        await OpenAsync(cancellation).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            for (int read; (read = await body.ReadAsync(buffer.AsMemory(0, BufferLength), cancellation).ConfigureAwait(false)) > 0;)
            {
                if (file!.Length + read > Blob.Length)
                {
                    return false;
                }

                await file.WriteAsync(buffer.AsMemory(0, read), CancellationToken.None).ConfigureAwait(false);
                hash!.AppendData(buffer.AsSpan(0, read));
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            Volatile.Write(ref touched, clock.GetUtcNow().UtcTicks);
        }
    }

    /// <summary>Whether the digest of a whole upload is the one declared; otherwise it begins anew.</summary>
    public async Task<bool> VerifyAsync(CancellationToken cancellation)
    {
        await OpenAsync(cancellation).ConfigureAwait(false);
        var actual = Convert.ToHexStringLower(hash!.GetHashAndReset());
        if (actual == Blob.Sha256)
        {
            return true; // The store syncs what it takes.
        }

        file!.SetLength(0);
        return false;
    }

    public void CloseFile()
    {
        file?.Dispose();
        hash?.Dispose();
        (file, hash) = (null, null);
    }

    private async Task OpenAsync(CancellationToken cancellation)
    {
        if (file is not null)
        {
            return;
        }

        var opened = new FileStream(partPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 0, useAsync: true);
        var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            if (opened.Length > Blob.Length)
            {
                opened.SetLength(0);
            }

            var buffer = new byte[BufferLength];
            for (int read; (read = await opened.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
            {
                digest.AppendData(buffer.AsSpan(0, read));
            }

            (file, hash) = (opened, digest);
        }
        catch
        {
            await opened.DisposeAsync().ConfigureAwait(false);
            digest.Dispose();
            throw;
        }
    }
}
