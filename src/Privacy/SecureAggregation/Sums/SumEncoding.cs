using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.SecureAggregation.Sums;

/// <summary>How updates become words whose sum modulo 2^b says their weighted mean, and nothing finer is ever seen.</summary>
/// <remarks>Not thread-safe: one a worker.</remarks>
public abstract class SumEncoding<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>d.</summary>
    public required int Dimension { get; init; }

    /// <summary>Words of a message.</summary>
    public abstract int Length { get; }

    /// <summary>b.</summary>
    public required int Bits { get; init; }

    /// <summary>C, the L2 bound of an update.</summary>
    public required double ClipNorm { get; init; }

    /// <summary>The client's side: clips, weighs, and rounds to the grid; adds its share of the noise where there is one.</summary>
    /// <param name="update">d coordinates; used as scratch.</param>
    /// <param name="weight">The update's weight over the largest weight, in [0, 1].</param>
    /// <param name="publicSeed">32 bytes that all members of a sum know.</param>
    /// <param name="words">Overwritten, below 2^b.</param>
    /// <param name="random">Cryptographic where a guarantee is to hold.</param>
    public abstract ClipReport Encode(Span<T> update, double weight, ReadOnlySpan<byte> publicSeed, Span<uint> words, IRandomSource random);

    /// <summary>The server's side: the weighted mean from the sum of the messages.</summary>
    /// <param name="sum">Modulo 2^b.</param>
    /// <param name="members">Messages in the sum.</param>
    /// <param name="mean">d coordinates; overwritten. Zero where no member had a weight.</param>
    /// <returns>The sum of the members' weights.</returns>
    public abstract double Decode(ReadOnlySpan<uint> sum, int members, ReadOnlySpan<byte> publicSeed, Span<T> mean);

    /// <summary>A residue below 2^b as a number around zero.</summary>
    protected long Centred(uint word) => (long)((ulong)word << (64 - Bits)) >> (64 - Bits);

    protected uint Residue(long value) => (uint)value & (uint.MaxValue >> (32 - Bits));

    protected void Check(int vector, int words)
    {
        if (vector != Dimension || words != Length)
        {
            throw new PrivacyException($"Updates here have {Dimension} coordinates and messages {Length} words; {vector} and {words} were given.");
        }
    }
}
