using System.Buffers.Binary;
using System.Security.Cryptography;
using Federated.Privacy.Hpke.Agreement;

namespace Federated.Privacy.Hpke;

/// <summary>One side of an encapsulated key: messages in order, each under its own nonce.</summary>
/// <remarks>RFC 9180, sections 4.1 and 5.1 to 5.3, base mode: it hides from everybody but the recipient, and says nothing of who sealed. Not thread-safe.</remarks>
public sealed class HpkeContext : IDisposable
{
    /// <summary>The last context of a key schedule: a service opens all its messages with one info, and two hashes depend on nothing else.</summary>
    private static volatile KeyScheduleContext? last;

    private readonly HpkeSuite suite;
    private readonly AesGcm cipher;
    private readonly byte[] baseNonce = new byte[HpkeSuite.NonceBytes];
    private readonly byte[] exporterSecret = [];
    private ulong sequence;

    /// <summary>The key schedule.</summary>
    private HpkeContext(HpkeSuite suite, ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> info, bool canExport)
    {
        this.suite = suite;
        var context = ContextOf(suite, info);
        Span<byte> secret = stackalloc byte[LabeledHkdf.HashBytes];
        Span<byte> key = stackalloc byte[suite.KeyBytes];
        LabeledHkdf.Extract(suite.Id, sharedSecret, "secret"u8, [], secret);
        LabeledHkdf.Expand(suite.Id, secret, "key"u8, context, key);
        LabeledHkdf.Expand(suite.Id, secret, "base_nonce"u8, context, baseNonce);
        if (canExport)
        {
            exporterSecret = new byte[LabeledHkdf.HashBytes];
            LabeledHkdf.Expand(suite.Id, secret, "exp"u8, context, exporterSecret);
        }

        cipher = new AesGcm(key, HpkeSuite.TagBytes);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(secret);
    }

    /// <summary>The sender's side, with a fresh ephemeral key.</summary>
    /// <param name="encapsulated">65 bytes, for the recipient.</param>
    public static HpkeContext ForSender(HpkeSuite suite, HpkePublicKey recipient, ReadOnlySpan<byte> info, Span<byte> encapsulated) =>
        ForSender(suite, recipient, info, encapsulated, canExport: true);

    /// <returns>The recipient's side; null when what is encapsulated is no point of the curve.</returns>
    public static HpkeContext? ForRecipient(HpkeSuite suite, HpkePrivateKey recipient, ReadOnlySpan<byte> info, ReadOnlySpan<byte> encapsulated) =>
        ForRecipient(suite, recipient, info, encapsulated, canExport: true);

    /// <param name="destination">The plaintext's length and <see cref="HpkeSuite.TagBytes"/> more.</param>
    public void Seal(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        Span<byte> nonce = stackalloc byte[HpkeSuite.NonceBytes];
        NextNonce(nonce);
        cipher.Encrypt(nonce, plaintext, destination[..plaintext.Length], destination.Slice(plaintext.Length, HpkeSuite.TagBytes), associated);
    }

    /// <param name="plaintext">As long as the ciphertext less <see cref="HpkeSuite.TagBytes"/>.</param>
    /// <returns>False when the message is not the next one, or not as it was sealed.</returns>
    public bool TryOpen(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        if (ciphertext.Length < HpkeSuite.TagBytes)
        {
            return false;
        }

        Span<byte> nonce = stackalloc byte[HpkeSuite.NonceBytes];
        NextNonce(nonce);
        try
        {
            cipher.Decrypt(nonce, ciphertext[..^HpkeSuite.TagBytes], ciphertext[^HpkeSuite.TagBytes..], plaintext, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>Secret bytes that both sides know, for another use.</summary>
    public byte[] Export(ReadOnlySpan<byte> use, int length)
    {
        if (exporterSecret.Length == 0)
        {
            throw new InvalidOperationException("A context of a single message exports nothing.");
        }

        var exported = new byte[length];
        LabeledHkdf.Expand(suite.Id, exporterSecret, "sec"u8, use, exported);
        return exported;
    }

    public void Dispose()
    {
        cipher.Dispose();
        CryptographicOperations.ZeroMemory(exporterSecret);
    }

    /// <param name="canExport">Whether <see cref="Export"/> will be asked: of a single message's context it never is, and its secret need not be derived.</param>
    internal static HpkeContext ForSender(HpkeSuite suite, HpkePublicKey recipient, ReadOnlySpan<byte> info, Span<byte> encapsulated, bool canExport)
    {
        using var ephemeral = HpkePrivateKey.Generate();
        return ForSender(suite, recipient, info, encapsulated, canExport, ephemeral);
    }

    internal static HpkeContext ForSender(HpkeSuite suite, HpkePublicKey recipient, ReadOnlySpan<byte> info, Span<byte> encapsulated, bool canExport, HpkePrivateKey ephemeral)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(recipient);
        ephemeral.Point.CopyTo(encapsulated);
        return TryCreate(suite, ephemeral, recipient.Point, encapsulated[..HpkeSuite.EncapsulatedBytes], recipient.Point, info, canExport)!;
    }

    internal static HpkeContext? ForRecipient(HpkeSuite suite, HpkePrivateKey recipient, ReadOnlySpan<byte> info, ReadOnlySpan<byte> encapsulated, bool canExport)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(recipient);
        return TryCreate(suite, recipient, encapsulated, encapsulated, recipient.Point, info, canExport);
    }

    /// <summary>The recipient's side of a product that was taken already.</summary>
    /// <param name="product">The x-coordinate of the private number times the encapsulated point.</param>
    internal static HpkeContext ForRecipient(HpkeSuite suite, HpkePrivateKey recipient, ReadOnlySpan<byte> info, ReadOnlySpan<byte> encapsulated, ReadOnlySpan<byte> product) =>
        Create(suite, product, encapsulated, recipient.Point, info, canExport: false);

    /// <summary>Encap and Decap share all but whose private key it is.</summary>
    /// <returns>Null when the other's bytes are no point of the curve.</returns>
    private static HpkeContext? TryCreate(
        HpkeSuite suite, HpkePrivateKey own, ReadOnlySpan<byte> other, ReadOnlySpan<byte> encapsulated, ReadOnlySpan<byte> recipient, ReadOnlySpan<byte> info, bool canExport)
    {
        Span<byte> product = stackalloc byte[P256Encoding.NumberBytes];
        try
        {
            return own.TryAgree(other, product) ? Create(suite, product, encapsulated, recipient, info, canExport) : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(product);
        }
    }

    private static HpkeContext Create(
        HpkeSuite suite, ReadOnlySpan<byte> product, ReadOnlySpan<byte> encapsulated, ReadOnlySpan<byte> recipient, ReadOnlySpan<byte> info, bool canExport)
    {
        Span<byte> prk = stackalloc byte[LabeledHkdf.HashBytes];
        Span<byte> shared = stackalloc byte[LabeledHkdf.HashBytes];
        try
        {
            Span<byte> kemContext = stackalloc byte[2 * HpkeSuite.EncapsulatedBytes];
            encapsulated.CopyTo(kemContext);
            recipient.CopyTo(kemContext[HpkeSuite.EncapsulatedBytes..]);
            LabeledHkdf.Extract(HpkeSuite.KemSuiteId, [], "eae_prk"u8, product, prk);
            LabeledHkdf.Expand(HpkeSuite.KemSuiteId, prk, "shared_secret"u8, kemContext, shared);
            return new HpkeContext(suite, shared, info, canExport);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(prk);
            CryptographicOperations.ZeroMemory(shared);
        }
    }

    /// <summary>Mode 0, psk_id_hash, info_hash. Public, all of it.</summary>
    private static byte[] ContextOf(HpkeSuite suite, ReadOnlySpan<byte> info)
    {
        if (last is { } known && ReferenceEquals(known.Suite, suite) && info.SequenceEqual(known.Info))
        {
            return known.Bytes;
        }

        const int hash = LabeledHkdf.HashBytes;
        var context = new byte[1 + hash + hash];
        LabeledHkdf.Extract(suite.Id, [], "psk_id_hash"u8, [], context.AsSpan(1, hash));
        LabeledHkdf.Extract(suite.Id, [], "info_hash"u8, info, context.AsSpan(1 + hash));
        last = new KeyScheduleContext(suite, info.ToArray(), context);
        return context;
    }

    private void NextNonce(Span<byte> nonce)
    {
        baseNonce.CopyTo(nonce);
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(counter, sequence++);
        for (var i = 0; i < counter.Length; i++)
        {
            nonce[HpkeSuite.NonceBytes - counter.Length + i] ^= counter[i];
        }
    }

    private sealed record KeyScheduleContext(HpkeSuite Suite, byte[] Info, byte[] Bytes);
}
