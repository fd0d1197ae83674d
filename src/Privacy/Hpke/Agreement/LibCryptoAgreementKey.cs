using System.Security.Cryptography;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>The curve of the system's libcrypto, with nothing around it: the point is read, checked to be on the curve and multiplied, once.</summary>
/// <remarks>
/// OpenSSL's EC_POINT_mul with one number: a fixed-window multiplication in constant time (nistz256 on x86-64 and ARM64), the same that its ECDH calls. Intermediate
/// values and the product are overwritten before their memory is given back. Cost: one multiplication and 1 µs.
/// </remarks>
internal sealed unsafe class LibCryptoAgreementKey : IAgreementKey
{
    private static readonly Lazy<LibCrypto.GroupHandle?> Curve = new(() => LibCrypto.TryLoad(out _) && LibCrypto.NewGroup(LibCrypto.P256) is { IsInvalid: false } group ? group : null);

    private readonly LibCrypto.NumberHandle number;

    private LibCryptoAgreementKey(LibCrypto.NumberHandle number) => this.number = number;

    /// <returns>Null where there is no libcrypto to use.</returns>
    /// <param name="number">The private number, 32 bytes; the caller overwrites it.</param>
    public static LibCryptoAgreementKey? TryCreate(ReadOnlySpan<byte> number)
    {
        if (Curve.Value is null)
        {
            return null;
        }

        fixed (byte* bytes = number)
        {
            var handle = LibCrypto.ReadNumber(bytes, number.Length, 0);
            return handle.IsInvalid ? throw new CryptographicException("libcrypto has no memory.") : new LibCryptoAgreementKey(handle);
        }
    }

    public bool TryAgree(ReadOnlySpan<byte> point, Span<byte> secret)
    {
        if (!P256Encoding.IsWellFormed(point))
        {
            return false;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(secret.Length, P256Encoding.NumberBytes);
        var group = Curve.Value!.DangerousGetHandle(); // Never disposed.
        var isHeld = false;
        nint scratch = 0, q = 0, product = 0;
        try
        {
            number.DangerousAddRef(ref isHeld);

            // Plain pointers: they live and die in this method, and handles with finalizers would cost more than what they hold.
            (scratch, q, product) = (LibCrypto.NewScratch(), LibCrypto.NewPoint(group), LibCrypto.NewPoint(group));
            if (scratch == 0 || q == 0 || product == 0)
            {
                throw new CryptographicException("libcrypto has no memory.");
            }

            fixed (byte* bytes = point)
            {
                if (LibCrypto.ReadPoint(group, q, bytes, (nuint)point.Length, scratch) != 1)
                {
                    LibCrypto.ClearErrors();
                    return false;
                }
            }

            return Multiply(group, product, q, scratch, secret);
        }
        finally
        {
            LibCrypto.ClearFreePoint(product);
            LibCrypto.FreePoint(q);
            LibCrypto.FreeScratch(scratch);
            if (isHeld)
            {
                number.DangerousRelease();
            }
        }
    }

    public void Dispose() => number.Dispose();

    private bool Multiply(nint group, nint product, nint q, nint scratch, Span<byte> secret)
    {
        Span<byte> encoded = stackalloc byte[P256Encoding.PointBytes];
        fixed (byte* bytes = encoded)
        {
            // A product at infinity would need a number of 0 modulo the order, which no key has.
            if (LibCrypto.Multiply(group, product, 0, q, number.DangerousGetHandle(), scratch) != 1
                || LibCrypto.WritePoint(group, product, LibCrypto.Uncompressed, bytes, P256Encoding.PointBytes, scratch) != P256Encoding.PointBytes)
            {
                LibCrypto.ClearErrors();
                throw new CryptographicException("libcrypto could not multiply a point of the curve.");
            }
        }

        encoded.Slice(1, P256Encoding.NumberBytes).CopyTo(secret);
        CryptographicOperations.ZeroMemory(encoded);
        return true;
    }
}
