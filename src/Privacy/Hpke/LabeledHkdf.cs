using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Federated.Privacy.Hpke;

/// <summary>LabeledExtract and LabeledExpand of RFC 9180, section 4, over HKDF-SHA256.</summary>
/// <remarks>RFC 5869 in terms of HMAC: Extract is HMAC(salt, input), and Expand of no more than one hash is HMAC(key, info | 1). The framework's HKDF costs half as much again.</remarks>
internal static class LabeledHkdf
{
    public const int HashBytes = SHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> Version => "HPKE-v1"u8;

    public static void Extract(ReadOnlySpan<byte> suite, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> keyMaterial, Span<byte> destination)
    {
        Span<byte> labeled = stackalloc byte[256];
        var length = Version.Length + suite.Length + label.Length + keyMaterial.Length;
        labeled = length <= labeled.Length ? labeled[..length] : new byte[length];
        Join(labeled, Version, suite, label, keyMaterial);
        HMACSHA256.HashData(salt, labeled, destination);
        CryptographicOperations.ZeroMemory(labeled);
    }

    public static void Expand(ReadOnlySpan<byte> suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> label, ReadOnlySpan<byte> info, Span<byte> destination)
    {
        Span<byte> labeled = stackalloc byte[256];
        var length = 2 + Version.Length + suite.Length + label.Length + info.Length;
        labeled = length < labeled.Length ? labeled[..(length + 1)] : new byte[length + 1];
        BinaryPrimitives.WriteUInt16BigEndian(labeled, checked((ushort)destination.Length));
        Join(labeled[2..], Version, suite, label, info);
        if (destination.Length > HashBytes)
        {
            HKDF.Expand(HashAlgorithmName.SHA256, key, destination, labeled[..length]);
            return;
        }

        labeled[length] = 1;
        Span<byte> block = stackalloc byte[HashBytes];
        HMACSHA256.HashData(key, labeled, block);
        block[..destination.Length].CopyTo(destination);
        CryptographicOperations.ZeroMemory(block);
    }

    private static void Join(Span<byte> destination, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> c, ReadOnlySpan<byte> d)
    {
        a.CopyTo(destination);
        b.CopyTo(destination[a.Length..]);
        c.CopyTo(destination[(a.Length + b.Length)..]);
        d.CopyTo(destination[(a.Length + b.Length + c.Length)..]);
    }
}
