using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>
/// Hash seeds that the server chooses, one for each client and group: a client cannot look for a seed under which its one report supports many
/// chosen items, and the server, bound by a commitment, cannot choose one after it knows who reports what.
/// </summary>
/// <remarks>
/// The defence of privacy.md §3.6 (1). Seed = first 8 bytes of HMAC-SHA256(key, group ‖ client); commitment = SHA-256("olh-seeds" ‖ key), published
/// before the first assignment, its key after the last report. Local privacy does not rest on seeds, whoever chooses them: a report is ε-private given
/// its seed. What is left to a fake client is the choice of the bucket (<see cref="PoisoningGain.AssignedSeed"/>).
/// </remarks>
public sealed class AssignedSeeds
{
    public const int KeyBytes = 32;

    private readonly byte[] key;

    /// <param name="key">32 bytes, fresh for every run; kept for as long as the run's reports may be replayed.</param>
    public AssignedSeeds(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyBytes)
        {
            throw new PrivacyException($"The key of assigned seeds has {KeyBytes} bytes; this one has {key.Length}.");
        }

        this.key = key.ToArray();
        Commitment = Convert.ToHexStringLower(Commit(key));
    }

    /// <summary>What clients are told before they report, in hexadecimal.</summary>
    public string Commitment { get; }

    /// <summary>The seed of a client in a group.</summary>
    public ulong Seed(string client, int group)
    {
        ArgumentException.ThrowIfNullOrEmpty(client);
        var name = Encoding.UTF8.GetBytes(client);
        Span<byte> message = new byte[sizeof(int) + name.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, group);
        name.CopyTo(message[sizeof(int)..]);
        Span<byte> code = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message, code);
        return BinaryPrimitives.ReadUInt64LittleEndian(code);
    }

    /// <summary>Whether a report carries its client's seed; others are refused.</summary>
    public bool Accepts(string client, PrefixReport report) => report.Seed == Seed(client, report.Group);

    /// <summary>Whether a key, once published, is the one that was committed to.</summary>
    public static bool Opens(string commitment, ReadOnlySpan<byte> key)
    {
        ArgumentNullException.ThrowIfNull(commitment);
        return key.Length == KeyBytes && commitment.Equals(Convert.ToHexStringLower(Commit(key)), StringComparison.OrdinalIgnoreCase);
    }

    private static byte[] Commit(ReadOnlySpan<byte> key) => SHA256.HashData([.. "olh-seeds"u8, .. key]);
}
