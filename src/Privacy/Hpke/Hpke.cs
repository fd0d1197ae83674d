using Federated.Privacy.Hpke.Agreement;

namespace Federated.Privacy.Hpke;

/// <summary>
/// Hybrid public-key encryption of one message: only the holder of the recipient's private key reads it. It does not say who sealed it, and a
/// recipient's key that leaks later opens what was sealed to it before.
/// </summary>
/// <remarks>
/// RFC 9180, section 6.1, base mode; the message is the encapsulated key, then the ciphertext. Cost: two multiplications on the curve to seal, one
/// to open, whatever the length up to some 100 KB; where there is no libcrypto, .NET's own way costs two more of each (benchmarks/results/shuffle.md).
/// </remarks>
public static class Hpke
{
    /// <summary>What multiplies points in this process: libcrypto with its version, or .NET's own way, which is as safe and slower.</summary>
    public static string CurveInUse => AgreementKeys.InUse;

    /// <param name="info">What the message is for; both sides must say the same.</param>
    /// <param name="associated">What it belongs to; both sides must say the same.</param>
    /// <returns><see cref="HpkeSuite.Overhead"/> bytes more than the plaintext.</returns>
    public static byte[] Seal(HpkePublicKey recipient, ReadOnlySpan<byte> info, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plaintext)
    {
        var message = GC.AllocateUninitializedArray<byte>(HpkeSuite.Overhead + plaintext.Length);
        using var context = HpkeContext.ForSender(HpkeSuite.Aes256, recipient, info, message, canExport: false);
        context.Seal(associated, plaintext, message.AsSpan(HpkeSuite.EncapsulatedBytes));
        return message;
    }

    /// <param name="plaintext"><see cref="HpkeSuite.Overhead"/> bytes shorter than the message; undefined when it does not open.</param>
    /// <returns>False when the message was not sealed to this key with this info and associated data, or was changed since.</returns>
    public static bool TryOpen(HpkePrivateKey recipient, ReadOnlySpan<byte> info, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> message, Span<byte> plaintext)
    {
        if (message.Length < HpkeSuite.Overhead)
        {
            return false;
        }

        using var context = HpkeContext.ForRecipient(HpkeSuite.Aes256, recipient, info, message[..HpkeSuite.EncapsulatedBytes], canExport: false);
        return context is not null && context.TryOpen(associated, message[HpkeSuite.EncapsulatedBytes..], plaintext);
    }
}
