using System.Security.Cryptography;
using Federated.Privacy.Hpke.Agreement;

namespace Federated.Privacy.Hpke;

/// <summary>A recipient's P-256 point, validated when it is read: on the curve and not at infinity, which is all that a curve of cofactor 1 needs.</summary>
public sealed class HpkePublicKey : IDisposable
{
    private readonly byte[] point;

    private HpkePublicKey(byte[] point, ECDiffieHellman key) => (this.point, Key) = (point, key);

    /// <summary>65 bytes, uncompressed (SEC 1, section 2.3.3).</summary>
    public ReadOnlySpan<byte> Point => point;

    internal ECDiffieHellman Key { get; }

    /// <exception cref="PrivacyException">The bytes are no point of the curve.</exception>
    public static HpkePublicKey Read(ReadOnlySpan<byte> point) => TryRead(point) ?? throw new PrivacyException(
        $"A P-256 public key is {HpkeSuite.EncapsulatedBytes} bytes: 04, x, y, of a point on the curve. These {point.Length} bytes are none.");

    /// <returns>Null when the bytes are no point of the curve.</returns>
    public static HpkePublicKey? TryRead(ReadOnlySpan<byte> point)
    {
        if (!P256Encoding.IsWellFormed(point))
        {
            return null;
        }

        try
        {
            var bytes = point.ToArray();
            return new HpkePublicKey(bytes, ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = bytes[1..33], Y = bytes[33..] },
            }));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public void Dispose() => Key.Dispose();

    internal static byte[] PointOf(ECDiffieHellman key)
    {
        var q = key.ExportParameters(includePrivateParameters: false).Q;
        return [4, .. q.X!, .. q.Y!];
    }
}
