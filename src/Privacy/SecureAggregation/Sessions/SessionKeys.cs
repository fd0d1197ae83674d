using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Privacy.SecureAggregation.Sessions;

/// <summary>Every hash, key derivation and signature input of a session, in one place. Integers are unsigned and big-endian, texts UTF-8 with a length before them.</summary>
/// <remarks>
/// <code>
/// keys signed   "fl/secagg/keys/v1" ‖ run ‖ member ‖ c ‖ s
/// session       SHA-256("fl/secagg/session/v1" ‖ run ‖ number ‖ n ‖ k ‖ t ‖ minimum ‖ bits ‖ length ‖ for each member: id ‖ c ‖ s ‖ identity)
/// share key     HKDF-SHA256(ECDH(c_u, c_v), salt = session, info = "fl/secagg/share/v1" ‖ from ‖ to, 32); nonce 0, since each key seals one message
/// share AAD     session ‖ from ‖ to
/// self mask     HKDF-SHA256(b_u, salt = session, info = "fl/secagg/self/v1" ‖ u ‖ number, 32)
/// pair mask     <see cref="PairwiseMask.DeriveSeed"/>(ECDH(s_u, s_v), session, lower, higher, number)
/// commitment    SHA-256("fl/secagg/commitment/v1" ‖ session ‖ u ‖ b_u)
/// public seed   SHA-256("fl/secagg/public/v1" ‖ session): the coins of the encoding's rotation
/// survivors     signed: "fl/secagg/survivors/v1" ‖ session ‖ count ‖ indices
/// </code>
/// </remarks>
internal static class SessionKeys
{
    public const int PointBytes = 65;
    public const int SecretBytes = 32;
    public const int TagBytes = 16;

    /// <summary>A share of a 32-byte secret: five field elements.</summary>
    public const int ShareBytes = 5 * sizeof(ulong);

    public const int SealedBytes = (2 * ShareBytes) + TagBytes;

    public static byte[] KeysSigned(string run, string member, ReadOnlySpan<byte> cipherKey, ReadOnlySpan<byte> maskKey) =>
        new Transcript("fl/secagg/keys/v1"u8).Text(run).Text(member).Bytes(cipherKey).Bytes(maskKey).ToArray();

    public static byte[] Session(SessionParameters p, IReadOnlyList<Advertisement> members)
    {
        var transcript = new Transcript("fl/secagg/session/v1"u8).Text(p.Terms.Run).Number(p.Number).Number((uint)p.Members).Number((uint)p.Degree)
            .Number((uint)p.Threshold).Number((uint)p.Minimum).Number((uint)p.Terms.Bits).Number((uint)p.Terms.Length);
        foreach (var member in members)
        {
            transcript.Text(member.Member).Bytes(member.CipherKey).Bytes(member.MaskKey).Number((uint)member.IdentityKey.Length).Bytes(member.IdentityKey);
        }

        return SHA256.HashData(transcript.ToArray());
    }

    public static byte[] SurvivorsSigned(ReadOnlySpan<byte> session, IReadOnlyList<int> survivors)
    {
        var transcript = new Transcript("fl/secagg/survivors/v1"u8).Bytes(session).Number((uint)survivors.Count);
        foreach (var survivor in survivors)
        {
            transcript.Number((uint)survivor);
        }

        return transcript.ToArray();
    }

    public static byte[] Commitment(ReadOnlySpan<byte> session, int member, ReadOnlySpan<byte> secret) =>
        SHA256.HashData(new Transcript("fl/secagg/commitment/v1"u8).Bytes(session).Number((uint)member).Bytes(secret).ToArray());

    public static byte[] PublicSeed(ReadOnlySpan<byte> session) => SHA256.HashData(new Transcript("fl/secagg/public/v1"u8).Bytes(session).ToArray());

    public static byte[] SelfSeed(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> session, int member, uint number)
    {
        var seed = new byte[PairwiseMask.SeedBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, seed, session, new Transcript("fl/secagg/self/v1"u8).Number((uint)member).Number(number).ToArray());
        return seed;
    }

    /// <summary>The mask of two members, from the secret that they share.</summary>
    public static MaskTerm PairTerm(ECDiffieHellman own, ReadOnlySpan<byte> other, ReadOnlySpan<byte> session, int self, int neighbour, uint number)
    {
        using var peer = OpenPoint(other);
        var secret = own.DeriveRawSecretAgreement(peer.PublicKey);
        var seed = new byte[PairwiseMask.SeedBytes];
        PairwiseMask.DeriveSeed(secret, session, (uint)Math.Min(self, neighbour), (uint)Math.Max(self, neighbour), number, seed);
        CryptographicOperations.ZeroMemory(secret);
        return new MaskTerm(seed, Subtract: self > neighbour);
    }

    public static byte[] Seal(ECDiffieHellman own, ReadOnlySpan<byte> other, ReadOnlySpan<byte> session, int from, int to, ReadOnlySpan<byte> shares)
    {
        var message = new byte[SealedBytes];
        using var cipher = OpenCipher(own, other, session, from, to, out var associated);
        cipher.Encrypt(stackalloc byte[12], shares, message.AsSpan(0, shares.Length), message.AsSpan(shares.Length), associated);
        return message;
    }

    /// <summary>The two shares; null when the message was not made by <paramref name="from"/> for <paramref name="to"/> in this session.</summary>
    public static byte[]? Open(ECDiffieHellman own, ReadOnlySpan<byte> other, ReadOnlySpan<byte> session, int from, int to, ReadOnlySpan<byte> message)
    {
        if (message.Length != SealedBytes)
        {
            return null;
        }

        var shares = new byte[2 * ShareBytes];
        using var cipher = OpenCipher(own, other, session, from, to, out var associated);
        try
        {
            cipher.Decrypt(stackalloc byte[12], message[..shares.Length], message[shares.Length..], shares, associated);
            return shares;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    /// <summary>A point of the curve; anything else is refused.</summary>
    /// <exception cref="PrivacyException">It is none.</exception>
    public static ECDiffieHellman OpenPoint(ReadOnlySpan<byte> point)
    {
        if (point.Length != PointBytes || point[0] != 4)
        {
            throw new PrivacyException("A session key is a point of P-256 in 65 bytes, uncompressed; this is none.");
        }

        try
        {
            return ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = point[1..33].ToArray(), Y = point[33..].ToArray() },
            });
        }
        catch (CryptographicException e)
        {
            throw new PrivacyException("A session key is no point of P-256.", e);
        }
    }

    public static byte[] PointOf(ECDiffieHellman key)
    {
        var q = key.ExportParameters(includePrivateParameters: false).Q;
        return [4, .. q.X!, .. q.Y!];
    }

    public static bool Verifies(ReadOnlySpan<byte> identityKey, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(identityKey, out var read);
            return read == identityKey.Length && key.KeySize == 256 && key.VerifyData(signed, signature, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException) // The latter of a curve that nobody knows.
        {
            return false;
        }
    }

    public static byte[] ToBytes(ReadOnlySpan<ulong> share)
    {
        var bytes = new byte[share.Length * sizeof(ulong)];
        for (var i = 0; i < share.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(i * sizeof(ulong)), share[i]);
        }

        return bytes;
    }

    /// <summary>Null when these are no field elements.</summary>
    public static ulong[]? ToShare(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != ShareBytes)
        {
            return null;
        }

        var share = new ulong[ShareBytes / sizeof(ulong)];
        for (var i = 0; i < share.Length; i++)
        {
            share[i] = BinaryPrimitives.ReadUInt64BigEndian(bytes[(i * sizeof(ulong))..]);
            if (share[i] >= MersenneField.Large.Prime)
            {
                return null;
            }
        }

        return share;
    }

    private static AesGcm OpenCipher(ECDiffieHellman own, ReadOnlySpan<byte> other, ReadOnlySpan<byte> session, int from, int to, out byte[] associated)
    {
        using var peer = OpenPoint(other);
        var secret = own.DeriveRawSecretAgreement(peer.PublicKey);
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key, session, new Transcript("fl/secagg/share/v1"u8).Number((uint)from).Number((uint)to).ToArray());
        associated = new Transcript(session).Number((uint)from).Number((uint)to).ToArray();
        var cipher = new AesGcm(key, TagBytes);
        CryptographicOperations.ZeroMemory(secret);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }

    /// <summary>Bytes to hash or sign, unambiguous: whatever can vary in length has it before.</summary>
    private sealed class Transcript
    {
        private readonly System.Buffers.ArrayBufferWriter<byte> bytes = new(256);

        public Transcript(ReadOnlySpan<byte> label) => Bytes(label);

        public Transcript Bytes(ReadOnlySpan<byte> value)
        {
            value.CopyTo(bytes.GetSpan(value.Length));
            bytes.Advance(value.Length);
            return this;
        }

        public Transcript Number(uint value)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.GetSpan(sizeof(uint)), value);
            bytes.Advance(sizeof(uint));
            return this;
        }

        public Transcript Text(string value)
        {
            var text = Encoding.UTF8.GetBytes(value);
            return Number((uint)text.Length).Bytes(text);
        }

        public byte[] ToArray() => bytes.WrittenSpan.ToArray();
    }
}
