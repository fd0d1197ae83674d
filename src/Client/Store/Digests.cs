using System.Buffers;
using System.Security.Cryptography;
using Federated.Protocol;

namespace Federated.Client.Store;

/// <summary>SHA-256 over streams.</summary>
internal static class Digests
{
    private const int BufferBytes = 128 << 10;

    /// <summary>Whether a stream, from its start, holds exactly these bytes; it is left at its start.</summary>
    public static bool Matches(Stream stream, BlobReference blob)
    {
        if (stream.Length != blob.Length)
        {
            return false;
        }

        stream.Position = 0;
        var same = Of(stream) == blob.Sha256;
        stream.Position = 0;
        return same;
    }

    /// <summary>Lower-case hex digest of what is left of a stream.</summary>
    public static string Of(Stream stream)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                hash.AppendData(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
