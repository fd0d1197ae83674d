using System.Security.Cryptography;

namespace Federated.Privacy.Randomness;

/// <summary>
/// A numbered family of independent streams drawn once from a parent source, so that work split into blocks gets the same noise on any
/// number of threads. Every family is fresh: two families of one parent share nothing.
/// </summary>
/// <remarks>
/// Opening one number twice gives the same stream twice; using both would reuse noise. Number the blocks of one release, then dispose.
/// Opening is thread-safe; a stream is not.
/// </remarks>
public sealed class RandomStreams : IDisposable
{
    private readonly byte[] key = new byte[AesCounterStream.KeyBytes];
    private readonly string description;

    public RandomStreams(IRandomSource parent)
    {
        ArgumentNullException.ThrowIfNull(parent);
        parent.Fill(key);
        IsCryptographic = parent.IsCryptographic;
        description = parent.Description;
    }

    public bool IsCryptographic { get; }

    /// <summary>Stream number <paramref name="index"/>; the caller disposes it.</summary>
    public RandomStream Open(long index) => new(key, index, IsCryptographic, description);

    /// <summary>
    /// The stream of a seed that is sent along with what was made from it: public coins, the same on both sides and on every machine.
    /// </summary>
    /// <param name="seed">32 bytes.</param>
    internal static RandomStream OpenPublic(ReadOnlySpan<byte> seed) => new(seed, 0, isCryptographic: false, "public coins");

    public void Dispose() => CryptographicOperations.ZeroMemory(key);
}

/// <summary>One stream of a family.</summary>
public sealed class RandomStream : IRandomSource, IDisposable
{
    private readonly AesCounterStream stream;

    internal RandomStream(ReadOnlySpan<byte> key, long index, bool isCryptographic, string description)
    {
        stream = new AesCounterStream(key, (ulong)index);
        IsCryptographic = isCryptographic;
        Description = description;
    }

    public bool IsCryptographic { get; }

    public string Description { get; }

    public void Fill(Span<byte> destination) => stream.Fill(destination);

    public ulong NextUInt64() => stream.NextUInt64();

    public void Dispose() => stream.Dispose();
}
