using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>Turns the sorted rows of one block of coordinates into the result's coordinates.</summary>
internal unsafe interface IColumnReduction<T>
    where T : unmanaged
{
    /// <param name="rows">Row r starts at <c>rows + r·width</c> and holds the values of rank r.</param>
    /// <param name="width">Coordinates per row, a multiple of 16.</param>
    /// <param name="output"><paramref name="width"/> coordinates to write.</param>
    void Reduce(T* rows, int width, T* output);
}

/// <summary>
/// Sorts the n values of every coordinate with a <see cref="SortingNetwork"/>, lanes being coordinates, and reduces them.
/// </summary>
/// <remarks>
/// Cost: one read of the n·d inputs, n rows of 256 bytes of scratch per worker (inside the first cache level up to about 100 updates).
/// </remarks>
internal static unsafe class SortedColumns
{
    /// <summary>Bytes of one row of scratch: four 64-byte registers, so that four independent exchanges are in flight at once.</summary>
    private const int RowBytes = 256;

    /// <summary>Applies the network and the reduction to every coordinate of <paramref name="result"/>.</summary>
    public static void Run<T, TReduction>(HeldUpdates<T> updates, SortingNetwork network, Span<T> result, TReduction reduction)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TReduction : struct, IColumnReduction<T>
    {
        var handles = new MemoryHandle[updates.Count];
        var addresses = new nint[updates.Count];
        try
        {
            for (var i = 0; i < handles.Length; i++)
            {
                handles[i] = updates.Vectors[i].Pin();
                addresses[i] = (nint)handles[i].Pointer;
            }

            CoordinateBlocks.Run(result, updates.Threads, (start, part) => Stretch(addresses, network, start, part, reduction));
        }
        finally
        {
            foreach (var handle in handles)
            {
                handle.Dispose();
            }
        }
    }

    private static void Stretch<T, TReduction>(nint[] addresses, SortingNetwork network, int start, Span<T> result, TReduction reduction)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TReduction : struct, IColumnReduction<T>
    {
        var width = RowBytes / sizeof(T);
        var count = addresses.Length;
        var sources = new nint[count];
        var rows = (T*)NativeMemory.AlignedAlloc((nuint)((count + 1) * (long)RowBytes), 64);
        try
        {
            var output = rows + ((long)count * width);
            for (var offset = 0; offset < result.Length; offset += width)
            {
                var length = Math.Min(width, result.Length - offset);
                for (var i = 0; i < count; i++)
                {
                    sources[i] = addresses[i] + (sizeof(T) * (start + (nint)offset));
                    if (length < width)
                    {
                        sources[i] = Pad((T*)sources[i], length, rows + ((long)i * width), width);
                    }
                }

                Sort(sources, network, rows, width);
                reduction.Reduce(rows, width, output);
                new ReadOnlySpan<T>(output, length).CopyTo(result[offset..]);
            }
        }
        finally
        {
            NativeMemory.AlignedFree(rows);
        }
    }

    private static void Sort<T>(nint[] sources, SortingNetwork network, T* rows, int width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sorted = 0;
        var steps = network.Steps;
        if (Vector512.IsHardwareAccelerated)
        {
            fixed (nint* first = sources)
            {
                for (; sorted < 16 * network.Sixteens; sorted += 16)
                {
                    RegisterSort.Sort16(first + sorted, rows + ((long)sorted * width), width);
                }

                if (network.HasEight)
                {
                    RegisterSort.Sort8(first + sorted, rows + ((long)sorted * width), width);
                    sorted += 8;
                }
            }

            steps = network.StepsAfterGroups;
        }

        for (; sorted < sources.Length; sorted++)
        {
            Load((T*)sources[sorted], rows + ((long)sorted * width), width);
        }

        Exchange<T>((byte*)rows, steps);
    }

    private static nint Pad<T>(T* source, int length, T* row, int width)
        where T : unmanaged
    {
        new ReadOnlySpan<T>(source, length).CopyTo(new Span<T>(row, width));
        new Span<T>(row + length, width - length).Clear();
        return (nint)row;
    }

    // Adding +0 turns −0 into +0 and leaves every other value: min and max of two zeros would otherwise depend on their order.
    private static void Load<T>(T* source, T* row, int width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var j = 0; j < width; j += Vector512<T>.Count)
        {
            (Vector512.Load(source + j) + Vector512<T>.Zero).StoreAligned(row + j);
        }
    }

    // MinNative is one instruction; what it does with NaN does not matter because inputs are finite.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Exchange<T>(byte* rows, ReadOnlySpan<(int Low, int High)> steps)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated)
        {
            foreach (var (low, high) in steps)
            {
                var a = (T*)(rows + ((long)low * RowBytes));
                var b = (T*)(rows + ((long)high * RowBytes));
                var stride = Vector512<T>.Count;
                var a0 = Vector512.LoadAligned(a);
                var a1 = Vector512.LoadAligned(a + stride);
                var a2 = Vector512.LoadAligned(a + (2 * stride));
                var a3 = Vector512.LoadAligned(a + (3 * stride));
                var b0 = Vector512.LoadAligned(b);
                var b1 = Vector512.LoadAligned(b + stride);
                var b2 = Vector512.LoadAligned(b + (2 * stride));
                var b3 = Vector512.LoadAligned(b + (3 * stride));
                Vector512.MinNative(a0, b0).StoreAligned(a);
                Vector512.MinNative(a1, b1).StoreAligned(a + stride);
                Vector512.MinNative(a2, b2).StoreAligned(a + (2 * stride));
                Vector512.MinNative(a3, b3).StoreAligned(a + (3 * stride));
                Vector512.MaxNative(a0, b0).StoreAligned(b);
                Vector512.MaxNative(a1, b1).StoreAligned(b + stride);
                Vector512.MaxNative(a2, b2).StoreAligned(b + (2 * stride));
                Vector512.MaxNative(a3, b3).StoreAligned(b + (3 * stride));
            }

            return;
        }

        foreach (var (low, high) in steps)
        {
            var a = (T*)(rows + ((long)low * RowBytes));
            var b = (T*)(rows + ((long)high * RowBytes));
            for (var j = 0; j < RowBytes / sizeof(T); j += Vector256<T>.Count)
            {
                var left = Vector256.LoadAligned(a + j);
                var right = Vector256.LoadAligned(b + j);
                Vector256.MinNative(left, right).StoreAligned(a + j);
                Vector256.MaxNative(left, right).StoreAligned(b + j);
            }
        }
    }
}
