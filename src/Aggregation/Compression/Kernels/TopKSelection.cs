using System.Numerics;
using System.Runtime.CompilerServices;

namespace Federated.Aggregation.Compression.Kernels;

/// <summary>Finds the k coordinates of largest magnitude without sorting: ties go to the lower index.</summary>
/// <remarks>
/// The bits of |x|, read as an integer, order as |x| does. A histogram over the leading 11 of them finds the bin that holds the k-th
/// largest, later ones refine it: O(d) per 11 bits, three passes for float, the later ones over one bin only in effect.
/// </remarks>
internal static class TopKSelection
{
    private const int Digit = 11;

    /// <summary>Writes the k indices in ascending order.</summary>
    public static void Select<T>(ReadOnlySpan<T> values, Span<int> indices)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (indices.IsEmpty)
        {
            return;
        }

        var (threshold, ties) = Threshold(values, indices.Length);
        var next = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var key = Key(values[i]);
            if (key >= threshold && (key > threshold || ties-- > 0))
            {
                indices[next++] = i;
            }
        }
    }

    // The k-th largest key, and how many coordinates with exactly that key belong to the k.
    private static (ulong Key, int Ties) Threshold<T>(ReadOnlySpan<T> values, int k)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<int> histogram = stackalloc int[1 << Digit];
        var prefix = 0UL;
        var wanted = k;
        var high = (Unsafe.SizeOf<T>() * 8) - 1;
        for (var shift = high - Digit; ; shift = Math.Max(0, shift - Digit))
        {
            histogram.Clear();
            var mask = (1UL << (high - shift)) - 1;
            foreach (var value in values)
            {
                var key = Key(value);
                if (key >> high == prefix)
                {
                    histogram[(int)((key >> shift) & mask)]++;
                }
            }

            var bin = histogram.Length - 1;
            while (histogram[bin] < wanted)
            {
                wanted -= histogram[bin--];
            }

            prefix = (prefix << (high - shift)) | (uint)bin;
            high = shift;
            if (shift == 0)
            {
                return (prefix, wanted);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Key<T>(T value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        typeof(T) == typeof(float)
            ? BitConverter.SingleToUInt32Bits(float.CreateTruncating(value)) & 0x7FFF_FFFFu
            : BitConverter.DoubleToUInt64Bits(double.CreateTruncating(value)) & 0x7FFF_FFFF_FFFF_FFFFUL;
}
