using System.Security.Cryptography;
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
    public static string CurveInUse => AgreementKeys.InUse == AgreementKeys.InUseTogether ? AgreementKeys.InUse : $"{AgreementKeys.InUse}, {OpenedTogether} at once by {AgreementKeys.InUseTogether}";

    /// <summary>Messages that are best opened together.</summary>
    public const int OpenedTogether = LaneAgreementKey.Lanes;

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

    /// <summary>Opens messages to one recipient of one kind: on processors with AVX-512 at a third of the cost of as many alone.</summary>
    /// <param name="messages">At most <see cref="OpenedTogether"/>.</param>
    /// <param name="plaintexts">For each, <see cref="HpkeSuite.Overhead"/> bytes shorter than the message; undefined when it does not open.</param>
    /// <param name="opened">For each, what <see cref="TryOpen"/> would say.</param>
    public static void OpenTogether(
        HpkePrivateKey recipient, ReadOnlySpan<byte> info, ReadOnlySpan<byte> associated,
        ReadOnlySpan<ReadOnlyMemory<byte>> messages, ReadOnlySpan<Memory<byte>> plaintexts, Span<bool> opened)
    {
        ArgumentNullException.ThrowIfNull(recipient);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(messages.Length, OpenedTogether);
        Span<byte> points = stackalloc byte[OpenedTogether * HpkeSuite.EncapsulatedBytes];
        Span<byte> products = stackalloc byte[OpenedTogether * P256Encoding.NumberBytes];
        opened = opened[..messages.Length];
        points.Clear();
        for (var i = 0; i < messages.Length; i++)
        {
            if (messages[i].Length >= HpkeSuite.Overhead)
            {
                messages[i].Span[..HpkeSuite.EncapsulatedBytes].CopyTo(points[(i * HpkeSuite.EncapsulatedBytes)..]); // Zeros stay for what is too short, and are no point.
            }
        }

        try
        {
            recipient.Agree(points[..(messages.Length * HpkeSuite.EncapsulatedBytes)], products, opened);
            for (var i = 0; i < messages.Length; i++)
            {
                if (opened[i])
                {
                    var message = messages[i].Span;
                    var product = products.Slice(i * P256Encoding.NumberBytes, P256Encoding.NumberBytes);
                    using var context = HpkeContext.ForRecipient(HpkeSuite.Aes256, recipient, info, message[..HpkeSuite.EncapsulatedBytes], product);
                    opened[i] = context.TryOpen(associated, message[HpkeSuite.EncapsulatedBytes..], plaintexts[i].Span);
                }
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(products);
        }
    }
}
