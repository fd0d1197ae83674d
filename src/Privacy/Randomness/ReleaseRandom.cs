using System.Security.Cryptography;
using Federated.Aggregation.Randomness;

namespace Federated.Privacy.Randomness;

/// <summary>
/// The source of a run's noise, one stream per release: a release that has to be repeated after a crash gets the same noise again, so that it
/// is the same release and not a second one whose average with the first would be nearer to the truth. Whoever has the key can remove
/// the noise.
/// </summary>
/// <remarks>
/// AES-256 in counter mode, the release's number as nonce. A durable host stores the key of <see cref="NewKey"/> with the run, before the first
/// release, where only the coordinator reads it. Not thread-safe.
/// </remarks>
public sealed class ReleaseRandom : IRandomSource, IDisposable
{
    private readonly byte[] key = new byte[AesCounterStream.KeyBytes];
    private AesCounterStream stream;

    /// <param name="key">32 bytes that nobody else knows.</param>
    public ReleaseRandom(ReadOnlySpan<byte> key)
        : this(key, isCryptographic: true, "AES-256-CTR under a key drawn from the operating system and kept with the run")
    {
    }

    private ReleaseRandom(ReadOnlySpan<byte> key, bool isCryptographic, string description)
    {
        if (key.Length != AesCounterStream.KeyBytes)
        {
            throw new PrivacyException($"The key of a run's noise has {AesCounterStream.KeyBytes} bytes; this one has {key.Length}.");
        }

        key.CopyTo(this.key);
        (IsCryptographic, Description) = (isCryptographic, description);
        stream = new AesCounterStream(this.key, 0);
    }

    public bool IsCryptographic { get; }

    public string Description { get; }

    /// <summary>Bytes of a key.</summary>
    public static int KeyBytes => AesCounterStream.KeyBytes;

    /// <summary>The key, for the run's own durable state and for nothing else.</summary>
    public ReadOnlySpan<byte> Key => key;

    /// <summary>A fresh key from the operating system.</summary>
    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(AesCounterStream.KeyBytes);

    /// <summary>The noise of a simulated run: reproducible, and it protects nobody.</summary>
    public static ReleaseRandom ForSimulation(ulong seed)
    {
        using var expand = new SimulationRandom(SeededRandom.DeriveSeed(seed, "privacy"));
        Span<byte> key = stackalloc byte[AesCounterStream.KeyBytes];
        expand.Fill(key);
        return new ReleaseRandom(key, isCryptographic: false, expand.Description);
    }

    /// <summary>Goes on under a key that was stored.</summary>
    public void Rekey(ReadOnlySpan<byte> stored)
    {
        if (stored.Length != key.Length)
        {
            throw new PrivacyException($"The key of a run's noise has {key.Length} bytes; the stored one has {stored.Length}.");
        }

        stored.CopyTo(key);
        Begin(0);
    }

    /// <summary>From here on the bytes are those of this release.</summary>
    public void Begin(int release)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(release);
        stream.Dispose();
        stream = new AesCounterStream(key, (ulong)release);
    }

    public void Fill(Span<byte> destination) => stream.Fill(destination);

    public ulong NextUInt64() => stream.NextUInt64();

    public void Dispose()
    {
        stream.Dispose();
        CryptographicOperations.ZeroMemory(key);
    }
}
