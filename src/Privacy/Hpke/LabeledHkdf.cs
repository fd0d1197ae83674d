using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Federated.Privacy.Hpke;

/// <summary>LabeledExtract and LabeledExpand of RFC 9180, section 4, over HKDF-SHA256.</summary>
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
        HKDF.Extract(HashAlgorithmName.SHA256, labeled, salt, destination);
        CryptographicOperations.ZeroMemory(labeled);
    }

    public static void Expand(ReadOnlySpan<byte> suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> label, ReadOnlySpan<byte> info, Span<byte> destination)
    {
        Span<byte> labeled = stackalloc byte[256];
        labeled = labeled[..(2 + Version.Length + suite.Length + label.Length + info.Length)];
        BinaryPrimitives.WriteUInt16BigEndian(labeled, checked((ushort)destination.Length));
        Join(labeled[2..], Version, suite, label, info);
        HKDF.Expand(HashAlgorithmName.SHA256, key, destination, labeled);
    }

    private static void Join(Span<byte> destination, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> c, ReadOnlySpan<byte> d)
    {
        a.CopyTo(destination);
        b.CopyTo(destination[a.Length..]);
        c.CopyTo(destination[(a.Length + b.Length)..]);
        d.CopyTo(destination[(a.Length + b.Length + c.Length)..]);
    }
}
