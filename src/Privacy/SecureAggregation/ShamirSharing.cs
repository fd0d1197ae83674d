using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.SecureAggregation;

/// <summary>Splits a secret so that any t shares give it back and t − 1 say nothing about it.</summary>
/// <remarks>
/// Shamir, "How to Share a Secret", CACM 1979, over GF(2⁶¹ − 1): the secret in big-endian chunks of seven bytes, a polynomial of degree t − 1 each,
/// coefficients uniform by rejection. Shares are at 1, 2, …: the share at 0 would be the secret itself. Cost: O(t·chunks) a share.
/// </remarks>
public static class ShamirSharing
{
    private const int ChunkBytes = 7;

    /// <summary>Field elements in a share of a secret.</summary>
    public static int ShareLength(int secretBytes) => (secretBytes + ChunkBytes - 1) / ChunkBytes;

    /// <summary>Shares of positions 1 … n, one row each.</summary>
    /// <param name="secret">Any bytes.</param>
    /// <param name="threshold">t.</param>
    /// <param name="shares">n, at least t.</param>
    /// <param name="random">Cryptographic.</param>
    public static ulong[][] Split(ReadOnlySpan<byte> secret, int threshold, int shares, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (secret.IsEmpty || threshold < 1 || shares < threshold)
        {
            throw new PrivacyException($"Sharing needs a secret and 1 ≤ threshold ≤ shares; there are {secret.Length} bytes, {threshold} and {shares}.");
        }

        var length = ShareLength(secret.Length);
        var result = Enumerable.Range(0, shares).Select(_ => new ulong[length]).ToArray();
        var coefficients = new ulong[threshold];
        for (var chunk = 0; chunk < length; chunk++)
        {
            coefficients[0] = ReadChunk(secret, chunk);
            for (var i = 1; i < threshold; i++)
            {
                coefficients[i] = random.NextBelow(MersenneField.Large.Prime);
            }

            for (var share = 0; share < shares; share++)
            {
                result[share][chunk] = Evaluate(coefficients, (ulong)share + 1);
            }
        }

        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(coefficients.AsSpan()));
        return result;
    }

    /// <summary>The secret, from t shares or more.</summary>
    /// <param name="positions">Position of each share, from 1, all different.</param>
    /// <param name="shares">A row a position.</param>
    /// <param name="secret">Overwritten; its length is the secret's.</param>
    public static void Combine(ReadOnlySpan<int> positions, IReadOnlyList<ulong[]> shares, Span<byte> secret)
    {
        ArgumentNullException.ThrowIfNull(shares);
        var field = MersenneField.Large;
        var points = new ulong[positions.Length];
        for (var i = 0; i < points.Length; i++)
        {
            points[i] = positions[i] > 0
                ? (ulong)positions[i]
                : throw new PrivacyException($"A share's position is 1 or more; it is {positions[i]}, and the share at 0 would be the secret.");
        }

        if (points.Length == 0 || shares.Count != points.Length || points.Distinct().Count() != points.Length
            || shares.Any(s => s.Length != shares[0].Length))
        {
            throw new PrivacyException($"Combining needs a share of one length for each of different positions; there are {points.Length} positions and {shares.Count} shares.");
        }

        if (shares[0].Length != ShareLength(secret.Length))
        {
            throw new PrivacyException($"A secret of {secret.Length} bytes has shares of {ShareLength(secret.Length)} elements; these have {shares[0].Length}.");
        }

        var coefficients = field.Lagrange(points, 0);
        for (var chunk = 0; chunk < shares[0].Length; chunk++)
        {
            var value = 0UL;
            for (var i = 0; i < coefficients.Length; i++)
            {
                value = field.Add(value, field.Multiply(coefficients[i], shares[i][chunk]));
            }

            WriteChunk(secret, chunk, value);
        }
    }

    /// <summary>Σ cᵢ·xⁱ.</summary>
    internal static ulong Evaluate(ReadOnlySpan<ulong> coefficients, ulong x)
    {
        var field = MersenneField.Large;
        var value = 0UL;
        for (var i = coefficients.Length - 1; i >= 0; i--)
        {
            value = field.Add(field.Multiply(value, x), coefficients[i]);
        }

        return value;
    }

    internal static ulong ReadChunk(ReadOnlySpan<byte> secret, int chunk)
    {
        var value = 0UL;
        foreach (var b in secret[(chunk * ChunkBytes)..Math.Min(secret.Length, (chunk + 1) * ChunkBytes)])
        {
            value = (value << 8) | b;
        }

        return value;
    }

    private static void WriteChunk(Span<byte> secret, int chunk, ulong value)
    {
        var target = secret[(chunk * ChunkBytes)..Math.Min(secret.Length, (chunk + 1) * ChunkBytes)];
        if (value >> (8 * target.Length) != 0)
        {
            throw new PrivacyException("The shares do not belong together: what they combine to is no secret. One of them is wrong.");
        }

        for (var i = target.Length - 1; i >= 0; i--)
        {
            target[i] = (byte)value;
            value >>= 8;
        }
    }
}
