using System.Numerics;
using System.Runtime.CompilerServices;

namespace Federated.Training.Kernels;

/// <summary>
/// The outer-product tiles for panels of one register: a model of ten classes, or the last columns of a matrix, would waste half of
/// every multiply in <see cref="OuterTiles{T, TVector, TLanes}"/>.
/// </summary>
/// <remarks>Ten rows hide the latency of two multiply-add pipes and divide the usual batch of 10; otherwise as the wide tiles.</remarks>
internal static unsafe class NarrowTiles<T, TVector, TLanes>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<T, TVector>
{
    /// <summary>Computes <paramref name="rows"/> rows by one panel.</summary>
    /// <param name="p">Strides and depth; its A, B and C are not used.</param>
    public static void Run(in Product<T> p, int rows, T* a, T* b, T* c)
    {
        for (; rows >= 10; rows -= 10, a += 10 * p.RowStride, c += 10 * p.ResultStride)
        {
            Tile10(in p, a, b, c);
        }

        for (; rows >= 4; rows -= 4, a += 4 * p.RowStride, c += 4 * p.ResultStride)
        {
            Tile4(in p, a, b, c);
        }

        for (; rows > 0; rows--, a += p.RowStride, c += p.ResultStride)
        {
            Tile1(in p, a, b, c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(in Product<T> o, TVector sum, T* c)
    {
        var scaled = TLanes.Multiply(TLanes.Create(o.Scale), sum);
        TLanes.Store(o.Keep == T.Zero ? scaled : TLanes.MultiplyAdd(TLanes.Create(o.Keep), TLanes.Load(c), scaled), c);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile10(in Product<T> o, T* a, T* b, T* c)
    {
        var s0 = TLanes.Zero;
        var s1 = TLanes.Zero;
        var s2 = TLanes.Zero;
        var s3 = TLanes.Zero;
        var s4 = TLanes.Zero;
        var s5 = TLanes.Zero;
        var s6 = TLanes.Zero;
        var s7 = TLanes.Zero;
        var s8 = TLanes.Zero;
        var s9 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                s0 = TLanes.MultiplyAdd(TLanes.Broadcast(p), b0, s0);
                s1 = TLanes.MultiplyAdd(TLanes.Broadcast(p + row), b0, s1);
                s2 = TLanes.MultiplyAdd(TLanes.Broadcast(p + (2 * row)), b0, s2);
                var p3 = p + (3 * row);
                s3 = TLanes.MultiplyAdd(TLanes.Broadcast(p3), b0, s3);
                s4 = TLanes.MultiplyAdd(TLanes.Broadcast(p3 + row), b0, s4);
                s5 = TLanes.MultiplyAdd(TLanes.Broadcast(p3 + (2 * row)), b0, s5);
                var p6 = p + (6 * row);
                s6 = TLanes.MultiplyAdd(TLanes.Broadcast(p6), b0, s6);
                s7 = TLanes.MultiplyAdd(TLanes.Broadcast(p6 + row), b0, s7);
                s8 = TLanes.MultiplyAdd(TLanes.Broadcast(p6 + (2 * row)), b0, s8);
                var p9 = p + (9 * row);
                s9 = TLanes.MultiplyAdd(TLanes.Broadcast(p9), b0, s9);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, c);
        Put(in o, s1, c + o.ResultStride);
        Put(in o, s2, c + (2 * o.ResultStride));
        Put(in o, s3, c + (3 * o.ResultStride));
        Put(in o, s4, c + (4 * o.ResultStride));
        Put(in o, s5, c + (5 * o.ResultStride));
        Put(in o, s6, c + (6 * o.ResultStride));
        Put(in o, s7, c + (7 * o.ResultStride));
        Put(in o, s8, c + (8 * o.ResultStride));
        Put(in o, s9, c + (9 * o.ResultStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(in Product<T> o, T* a, T* b, T* c)
    {
        var s0 = TLanes.Zero;
        var s1 = TLanes.Zero;
        var s2 = TLanes.Zero;
        var s3 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                s0 = TLanes.MultiplyAdd(TLanes.Broadcast(p), b0, s0);
                s1 = TLanes.MultiplyAdd(TLanes.Broadcast(p + row), b0, s1);
                s2 = TLanes.MultiplyAdd(TLanes.Broadcast(p + (2 * row)), b0, s2);
                var p3 = p + (3 * row);
                s3 = TLanes.MultiplyAdd(TLanes.Broadcast(p3), b0, s3);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, c);
        Put(in o, s1, c + o.ResultStride);
        Put(in o, s2, c + (2 * o.ResultStride));
        Put(in o, s3, c + (3 * o.ResultStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(in Product<T> o, T* a, T* b, T* c)
    {
        var s0 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                s0 = TLanes.MultiplyAdd(TLanes.Broadcast(p), b0, s0);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, c);
    }
}
