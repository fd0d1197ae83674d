using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>
/// The first steps of a <see cref="SortingNetwork"/>, for aligned groups of 16 or 8 rows, without leaving the registers: every row is
/// read once and written once, where single steps would read and write two rows each.
/// </summary>
/// <remarks>
/// Batcher's odd-even merge sort, written out: 63 and 19 exchanges. −0 becomes +0 on the way in (see <see cref="SortedColumns"/>); what
/// MinNative does with NaN does not matter because inputs are finite.
/// </remarks>
internal static unsafe class RegisterSort
{
    /// <param name="sources">Addresses of 16 rows of <paramref name="width"/> coordinates.</param>
    /// <param name="rows">Receives them, sorted coordinate by coordinate; row r at <c>rows + r·width</c>, aligned. May be the sources.</param>
    /// <param name="width">A multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sort16<T>(nint* sources, T* rows, int width)
        where T : unmanaged
    {
        var zero = Vector512<T>.Zero;
        for (var j = 0; j < width; j += Vector512<T>.Count)
        {
            var v0 = Vector512.Load((T*)sources[0] + j) + zero;
            var v1 = Vector512.Load((T*)sources[1] + j) + zero;
            var v2 = Vector512.Load((T*)sources[2] + j) + zero;
            var v3 = Vector512.Load((T*)sources[3] + j) + zero;
            var v4 = Vector512.Load((T*)sources[4] + j) + zero;
            var v5 = Vector512.Load((T*)sources[5] + j) + zero;
            var v6 = Vector512.Load((T*)sources[6] + j) + zero;
            var v7 = Vector512.Load((T*)sources[7] + j) + zero;
            var v8 = Vector512.Load((T*)sources[8] + j) + zero;
            var v9 = Vector512.Load((T*)sources[9] + j) + zero;
            var v10 = Vector512.Load((T*)sources[10] + j) + zero;
            var v11 = Vector512.Load((T*)sources[11] + j) + zero;
            var v12 = Vector512.Load((T*)sources[12] + j) + zero;
            var v13 = Vector512.Load((T*)sources[13] + j) + zero;
            var v14 = Vector512.Load((T*)sources[14] + j) + zero;
            var v15 = Vector512.Load((T*)sources[15] + j) + zero;

            // Merges of 1 and 1, distance 1.
            (v0, v1) = (Vector512.MinNative(v0, v1), Vector512.MaxNative(v0, v1));
            (v2, v3) = (Vector512.MinNative(v2, v3), Vector512.MaxNative(v2, v3));
            (v4, v5) = (Vector512.MinNative(v4, v5), Vector512.MaxNative(v4, v5));
            (v6, v7) = (Vector512.MinNative(v6, v7), Vector512.MaxNative(v6, v7));
            (v8, v9) = (Vector512.MinNative(v8, v9), Vector512.MaxNative(v8, v9));
            (v10, v11) = (Vector512.MinNative(v10, v11), Vector512.MaxNative(v10, v11));
            (v12, v13) = (Vector512.MinNative(v12, v13), Vector512.MaxNative(v12, v13));
            (v14, v15) = (Vector512.MinNative(v14, v15), Vector512.MaxNative(v14, v15));
            // Merges of 2 and 2, distance 2.
            (v0, v2) = (Vector512.MinNative(v0, v2), Vector512.MaxNative(v0, v2));
            (v1, v3) = (Vector512.MinNative(v1, v3), Vector512.MaxNative(v1, v3));
            (v4, v6) = (Vector512.MinNative(v4, v6), Vector512.MaxNative(v4, v6));
            (v5, v7) = (Vector512.MinNative(v5, v7), Vector512.MaxNative(v5, v7));
            (v8, v10) = (Vector512.MinNative(v8, v10), Vector512.MaxNative(v8, v10));
            (v9, v11) = (Vector512.MinNative(v9, v11), Vector512.MaxNative(v9, v11));
            (v12, v14) = (Vector512.MinNative(v12, v14), Vector512.MaxNative(v12, v14));
            (v13, v15) = (Vector512.MinNative(v13, v15), Vector512.MaxNative(v13, v15));
            // Merges of 2 and 2, distance 1.
            (v1, v2) = (Vector512.MinNative(v1, v2), Vector512.MaxNative(v1, v2));
            (v5, v6) = (Vector512.MinNative(v5, v6), Vector512.MaxNative(v5, v6));
            (v9, v10) = (Vector512.MinNative(v9, v10), Vector512.MaxNative(v9, v10));
            (v13, v14) = (Vector512.MinNative(v13, v14), Vector512.MaxNative(v13, v14));
            // Merges of 4 and 4, distance 4.
            (v0, v4) = (Vector512.MinNative(v0, v4), Vector512.MaxNative(v0, v4));
            (v1, v5) = (Vector512.MinNative(v1, v5), Vector512.MaxNative(v1, v5));
            (v2, v6) = (Vector512.MinNative(v2, v6), Vector512.MaxNative(v2, v6));
            (v3, v7) = (Vector512.MinNative(v3, v7), Vector512.MaxNative(v3, v7));
            (v8, v12) = (Vector512.MinNative(v8, v12), Vector512.MaxNative(v8, v12));
            (v9, v13) = (Vector512.MinNative(v9, v13), Vector512.MaxNative(v9, v13));
            (v10, v14) = (Vector512.MinNative(v10, v14), Vector512.MaxNative(v10, v14));
            (v11, v15) = (Vector512.MinNative(v11, v15), Vector512.MaxNative(v11, v15));
            // Merges of 4 and 4, distance 2.
            (v2, v4) = (Vector512.MinNative(v2, v4), Vector512.MaxNative(v2, v4));
            (v3, v5) = (Vector512.MinNative(v3, v5), Vector512.MaxNative(v3, v5));
            (v10, v12) = (Vector512.MinNative(v10, v12), Vector512.MaxNative(v10, v12));
            (v11, v13) = (Vector512.MinNative(v11, v13), Vector512.MaxNative(v11, v13));
            // Merges of 4 and 4, distance 1.
            (v1, v2) = (Vector512.MinNative(v1, v2), Vector512.MaxNative(v1, v2));
            (v3, v4) = (Vector512.MinNative(v3, v4), Vector512.MaxNative(v3, v4));
            (v5, v6) = (Vector512.MinNative(v5, v6), Vector512.MaxNative(v5, v6));
            (v9, v10) = (Vector512.MinNative(v9, v10), Vector512.MaxNative(v9, v10));
            (v11, v12) = (Vector512.MinNative(v11, v12), Vector512.MaxNative(v11, v12));
            (v13, v14) = (Vector512.MinNative(v13, v14), Vector512.MaxNative(v13, v14));
            // Merges of 8 and 8, distance 8.
            (v0, v8) = (Vector512.MinNative(v0, v8), Vector512.MaxNative(v0, v8));
            (v1, v9) = (Vector512.MinNative(v1, v9), Vector512.MaxNative(v1, v9));
            (v2, v10) = (Vector512.MinNative(v2, v10), Vector512.MaxNative(v2, v10));
            (v3, v11) = (Vector512.MinNative(v3, v11), Vector512.MaxNative(v3, v11));
            (v4, v12) = (Vector512.MinNative(v4, v12), Vector512.MaxNative(v4, v12));
            (v5, v13) = (Vector512.MinNative(v5, v13), Vector512.MaxNative(v5, v13));
            (v6, v14) = (Vector512.MinNative(v6, v14), Vector512.MaxNative(v6, v14));
            (v7, v15) = (Vector512.MinNative(v7, v15), Vector512.MaxNative(v7, v15));
            // Merges of 8 and 8, distance 4.
            (v4, v8) = (Vector512.MinNative(v4, v8), Vector512.MaxNative(v4, v8));
            (v5, v9) = (Vector512.MinNative(v5, v9), Vector512.MaxNative(v5, v9));
            (v6, v10) = (Vector512.MinNative(v6, v10), Vector512.MaxNative(v6, v10));
            (v7, v11) = (Vector512.MinNative(v7, v11), Vector512.MaxNative(v7, v11));
            // Merges of 8 and 8, distance 2.
            (v2, v4) = (Vector512.MinNative(v2, v4), Vector512.MaxNative(v2, v4));
            (v3, v5) = (Vector512.MinNative(v3, v5), Vector512.MaxNative(v3, v5));
            (v6, v8) = (Vector512.MinNative(v6, v8), Vector512.MaxNative(v6, v8));
            (v7, v9) = (Vector512.MinNative(v7, v9), Vector512.MaxNative(v7, v9));
            (v10, v12) = (Vector512.MinNative(v10, v12), Vector512.MaxNative(v10, v12));
            (v11, v13) = (Vector512.MinNative(v11, v13), Vector512.MaxNative(v11, v13));
            // Merges of 8 and 8, distance 1.
            (v1, v2) = (Vector512.MinNative(v1, v2), Vector512.MaxNative(v1, v2));
            (v3, v4) = (Vector512.MinNative(v3, v4), Vector512.MaxNative(v3, v4));
            (v5, v6) = (Vector512.MinNative(v5, v6), Vector512.MaxNative(v5, v6));
            (v7, v8) = (Vector512.MinNative(v7, v8), Vector512.MaxNative(v7, v8));
            (v9, v10) = (Vector512.MinNative(v9, v10), Vector512.MaxNative(v9, v10));
            (v11, v12) = (Vector512.MinNative(v11, v12), Vector512.MaxNative(v11, v12));
            (v13, v14) = (Vector512.MinNative(v13, v14), Vector512.MaxNative(v13, v14));

            v0.StoreAligned(rows + (0 * width) + j);
            v1.StoreAligned(rows + (1 * width) + j);
            v2.StoreAligned(rows + (2 * width) + j);
            v3.StoreAligned(rows + (3 * width) + j);
            v4.StoreAligned(rows + (4 * width) + j);
            v5.StoreAligned(rows + (5 * width) + j);
            v6.StoreAligned(rows + (6 * width) + j);
            v7.StoreAligned(rows + (7 * width) + j);
            v8.StoreAligned(rows + (8 * width) + j);
            v9.StoreAligned(rows + (9 * width) + j);
            v10.StoreAligned(rows + (10 * width) + j);
            v11.StoreAligned(rows + (11 * width) + j);
            v12.StoreAligned(rows + (12 * width) + j);
            v13.StoreAligned(rows + (13 * width) + j);
            v14.StoreAligned(rows + (14 * width) + j);
            v15.StoreAligned(rows + (15 * width) + j);
        }
    }

    /// <param name="sources">Addresses of 8 rows of <paramref name="width"/> coordinates.</param>
    /// <param name="rows">Receives them, sorted coordinate by coordinate; row r at <c>rows + r·width</c>, aligned. May be the sources.</param>
    /// <param name="width">A multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sort8<T>(nint* sources, T* rows, int width)
        where T : unmanaged
    {
        var zero = Vector512<T>.Zero;
        for (var j = 0; j < width; j += Vector512<T>.Count)
        {
            var v0 = Vector512.Load((T*)sources[0] + j) + zero;
            var v1 = Vector512.Load((T*)sources[1] + j) + zero;
            var v2 = Vector512.Load((T*)sources[2] + j) + zero;
            var v3 = Vector512.Load((T*)sources[3] + j) + zero;
            var v4 = Vector512.Load((T*)sources[4] + j) + zero;
            var v5 = Vector512.Load((T*)sources[5] + j) + zero;
            var v6 = Vector512.Load((T*)sources[6] + j) + zero;
            var v7 = Vector512.Load((T*)sources[7] + j) + zero;

            // Merges of 1 and 1, distance 1.
            (v0, v1) = (Vector512.MinNative(v0, v1), Vector512.MaxNative(v0, v1));
            (v2, v3) = (Vector512.MinNative(v2, v3), Vector512.MaxNative(v2, v3));
            (v4, v5) = (Vector512.MinNative(v4, v5), Vector512.MaxNative(v4, v5));
            (v6, v7) = (Vector512.MinNative(v6, v7), Vector512.MaxNative(v6, v7));
            // Merges of 2 and 2, distance 2.
            (v0, v2) = (Vector512.MinNative(v0, v2), Vector512.MaxNative(v0, v2));
            (v1, v3) = (Vector512.MinNative(v1, v3), Vector512.MaxNative(v1, v3));
            (v4, v6) = (Vector512.MinNative(v4, v6), Vector512.MaxNative(v4, v6));
            (v5, v7) = (Vector512.MinNative(v5, v7), Vector512.MaxNative(v5, v7));
            // Merges of 2 and 2, distance 1.
            (v1, v2) = (Vector512.MinNative(v1, v2), Vector512.MaxNative(v1, v2));
            (v5, v6) = (Vector512.MinNative(v5, v6), Vector512.MaxNative(v5, v6));
            // Merges of 4 and 4, distance 4.
            (v0, v4) = (Vector512.MinNative(v0, v4), Vector512.MaxNative(v0, v4));
            (v1, v5) = (Vector512.MinNative(v1, v5), Vector512.MaxNative(v1, v5));
            (v2, v6) = (Vector512.MinNative(v2, v6), Vector512.MaxNative(v2, v6));
            (v3, v7) = (Vector512.MinNative(v3, v7), Vector512.MaxNative(v3, v7));
            // Merges of 4 and 4, distance 2.
            (v2, v4) = (Vector512.MinNative(v2, v4), Vector512.MaxNative(v2, v4));
            (v3, v5) = (Vector512.MinNative(v3, v5), Vector512.MaxNative(v3, v5));
            // Merges of 4 and 4, distance 1.
            (v1, v2) = (Vector512.MinNative(v1, v2), Vector512.MaxNative(v1, v2));
            (v3, v4) = (Vector512.MinNative(v3, v4), Vector512.MaxNative(v3, v4));
            (v5, v6) = (Vector512.MinNative(v5, v6), Vector512.MaxNative(v5, v6));

            v0.StoreAligned(rows + (0 * width) + j);
            v1.StoreAligned(rows + (1 * width) + j);
            v2.StoreAligned(rows + (2 * width) + j);
            v3.StoreAligned(rows + (3 * width) + j);
            v4.StoreAligned(rows + (4 * width) + j);
            v5.StoreAligned(rows + (5 * width) + j);
            v6.StoreAligned(rows + (6 * width) + j);
            v7.StoreAligned(rows + (7 * width) + j);
        }
    }
}
