using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>Multiplies eight points at once by one private number, on processors with AVX-512.</summary>
/// <remarks>
/// A fixed window of four bits over odd digits: 252 doublings and 63 additions, 8 entries of table for each point, and one inversion by Fermat. Every instruction and every
/// address is the same for every number. Table, sum and product are overwritten. Cost: benchmarks/results/shuffle.md. Why this is here at all: docs/decisions/0011.
/// </remarks>
internal sealed class LaneAgreementKey : IDisposable
{
    /// <summary>Points that are multiplied together.</summary>
    public const int Lanes = FieldLanes.Count;

    private const int TableSize = 8;

    /// <summary>Any point of the curve: stands where none is, so that every lane has work.</summary>
    private static readonly byte[] Generator = Convert.FromHexString(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");

    private readonly NumberDigits digits;
    private volatile bool isDisposed;

    private LaneAgreementKey(NumberDigits digits) => this.digits = digits;

    /// <param name="number">32 bytes, big-endian; the caller overwrites it.</param>
    /// <returns>Null when the processor lacks the instructions, and for the few numbers that have no digits.</returns>
    public static LaneAgreementKey? TryCreate(ReadOnlySpan<byte> number) =>
        FieldLanes.IsSupported && NumberDigits.TryCreate(number) is { } digits ? new LaneAgreementKey(digits) : null;

    /// <param name="points">At most <see cref="Lanes"/> points of 65 bytes, one after the other.</param>
    /// <param name="secrets">32 bytes for each of them; those of points that are refused are undefined.</param>
    /// <param name="agreed">False for the bytes that are no point of the curve.</param>
    [SkipLocalsInit]
    public void Agree(ReadOnlySpan<byte> points, Span<byte> secrets, Span<bool> agreed)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        var count = agreed.Length;
        Span<byte> full = stackalloc byte[Lanes * P256Encoding.PointBytes];
        Span<bool> isGood = stackalloc bool[Lanes];
        for (var i = 0; i < Lanes; i++)
        {
            var point = i < count ? points.Slice(i * P256Encoding.PointBytes, P256Encoding.PointBytes) : Generator;
            isGood[i] = P256Encoding.IsWellFormed(point);
            (isGood[i] ? point : Generator).CopyTo(full[(i * P256Encoding.PointBytes)..]);
        }

        var read = PointLanes.Read(full);
        Span<bool> isOnCurve = stackalloc bool[Lanes];
        read.AreOnCurve(isOnCurve);
        for (var i = 0; i < Lanes; i++)
        {
            if (!isOnCurve[i])
            {
                isGood[i] = false;
                Generator.CopyTo(full[(i * P256Encoding.PointBytes)..]);
            }
        }

        isGood[..count].CopyTo(agreed);
        Span<byte> products = stackalloc byte[Lanes * P256Encoding.NumberBytes];
        Multiply(isOnCurve.Contains(false) ? PointLanes.Read(full) : read, products);
        products[..(count * P256Encoding.NumberBytes)].CopyTo(secrets);
        CryptographicOperations.ZeroMemory(products);
    }

    public void Dispose()
    {
        isDisposed = true;
        digits.Dispose();
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(in PointLanes point, Span<byte> products)
    {
        Span<PointLanes> table = stackalloc PointLanes[TableSize]; // 1, 3, … 15 times the point.
        Span<PointLanes> work = stackalloc PointLanes[2];
        ref var sum = ref work[0];
        ref var term = ref work[1];
        table[0] = point;
        PointLanes.Double(point, out term);
        for (var i = 1; i < TableSize; i++)
        {
            PointLanes.Add(table[i - 1], term, out table[i]);
        }

        var (index, isNegative) = digits[NumberDigits.Count - 1];
        PointLanes.Choose(table, index, isNegative, out sum);
        for (var i = NumberDigits.Count - 2; i >= 0; i--)
        {
            for (var doubling = 0; doubling < 4; doubling++)
            {
                PointLanes.Double(sum, out sum);
            }

            (index, isNegative) = digits[i];
            PointLanes.Choose(table, index, isNegative, out term);
            PointLanes.Add(sum, term, out sum);
        }

        sum.WriteX(products);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(table));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(work));
    }
}
