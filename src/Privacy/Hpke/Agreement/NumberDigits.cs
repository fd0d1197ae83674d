using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>A private number k as 64 odd digits between −15 and 15, so that every step of a multiplication is the same: four doublings, one addition.</summary>
/// <remarks>
/// M. Joye, M. Tunstall, "Exponent Recoding and Regular Exponentiation Algorithms", AFRICACRYPT 2009, section 3. An even k is replaced by n − k, whose product is the
/// opposite point, of the same x-coordinate. With k odd, k = Σ dᵢ·16^i, where dᵢ = 2·((k ≫ (4i + 1)) mod 16) − 15 for i &lt; 63 and d₆₃ = 2·(k ≫ 253) + 1.
/// <para>
/// No addition meets a point and itself or its opposite: before the digit dᵢ is added the sum is 16·m times the point for some odd m ≥ 1, and 16·m ± dᵢ is between 1 and
/// n − 1 as long as 32 ≤ k ≤ n − 32. The 62 numbers outside, which no honest generator ever draws, have no digits.
/// </para>
/// </remarks>
internal sealed class NumberDigits : IDisposable
{
    public const int Count = 64;

    private static readonly ulong[] Order = [0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000];

    /// <summary>k ≫ 1 with a one above it: digit i is 2·nibble − 15 throughout.</summary>
    private readonly byte[] nibbles = GC.AllocateArray<byte>(Count, pinned: true);

    private NumberDigits(ReadOnlySpan<ulong> k)
    {
        for (var i = 0; i < Count; i++)
        {
            var bit = (4 * i) + 1;
            var word = k[bit / 64] >> (bit % 64);
            word |= i < Count - 1 && bit % 64 > 60 ? k[(bit / 64) + 1] << (64 - (bit % 64)) : 0;
            nibbles[i] = (byte)(i < Count - 1 ? word & 15 : 8 | (word & 7));
        }
    }

    /// <param name="number">32 bytes, big-endian, in [1, n − 1]; the caller overwrites it.</param>
    /// <returns>Null for a number that is too near to 0 or to n.</returns>
    public static NumberDigits? TryCreate(ReadOnlySpan<byte> number)
    {
        Span<ulong> k = stackalloc ulong[4];
        Span<ulong> opposite = stackalloc ulong[4];
        ulong borrow = 0;
        for (var i = 0; i < 4; i++)
        {
            k[i] = BinaryPrimitives.ReadUInt64BigEndian(number[(24 - (8 * i))..]);
            var difference = (UInt128)Order[i] - k[i] - borrow;
            (opposite[i], borrow) = ((ulong)difference, (ulong)(difference >> 64) & 1);
        }

        var isFar = (k[1] | k[2] | k[3] | (k[0] >> 5)) != 0 && (opposite[1] | opposite[2] | opposite[3] | (opposite[0] >> 5)) != 0;
        var isEven = (k[0] & 1) - 1;
        for (var i = 0; i < 4; i++)
        {
            k[i] ^= (k[i] ^ opposite[i]) & isEven;
        }

        var digits = isFar ? new NumberDigits(k) : null;
        k.Clear();
        opposite.Clear();
        return digits;
    }

    /// <summary>(|d| − 1)/2 of a digit d, and all ones when d is negative.</summary>
    public (long Index, long IsNegative) this[int i]
    {
        get
        {
            long nibble = nibbles[i];
            var isNegative = (nibble >> 3) - 1;
            return ((nibble ^ isNegative) & 7, isNegative);
        }
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(nibbles);
}
