namespace Federated.Privacy.Hpke.Agreement;

/// <summary>Points of P-256 as bytes: 04, x, y, both coordinates 32 bytes, big-endian (SEC 1, section 2.3.3). The point at infinity has no such form.</summary>
internal static class P256Encoding
{
    public const int PointBytes = HpkeSuite.EncapsulatedBytes;

    /// <summary>Bytes of a coordinate, of a private number and of a shared secret.</summary>
    public const int NumberBytes = 32;

    /// <summary>p = 2^256 − 2^224 + 2^192 + 2^96 − 1.</summary>
    private static ReadOnlySpan<byte> Prime =>
    [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];

    /// <summary>
    /// Whether the bytes have the form of a point; not yet whether it lies on the curve. Asked before any library is, since libraries differ in what
    /// else they would read: compressed points, coordinates above p, the single zero byte.
    /// </summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> point) =>
        point.Length == PointBytes && point[0] == 4
        && point.Slice(1, NumberBytes).SequenceCompareTo(Prime) < 0 && point[(1 + NumberBytes)..].SequenceCompareTo(Prime) < 0;
}
