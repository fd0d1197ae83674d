using System.Numerics;
using System.Runtime.CompilerServices;

namespace Federated.Training.Kernels;

/// <summary>
/// Register tiles of the outer-product form: R rows of C by two registers of columns stay in registers while the depth runs; each
/// step loads two registers of B and broadcasts R elements of A.
/// </summary>
/// <remarks>
/// Unrolled by hand because the JIT keeps only named locals in registers. 14×2 uses 28 accumulators of AVX-512's 32 registers; 6×2 uses
/// 12 of AVX2's 16. The sum over the depth is strictly sequential per element, so that the result depends on the shape only.
/// </remarks>
internal static unsafe class OuterTiles<T, TVector, TLanes>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<T, TVector>
{
    /// <summary>Columns of a tile.</summary>
    public static int Width
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * TLanes.Count;
    }

    /// <summary>Computes <paramref name="rows"/> rows by one panel.</summary>
    /// <param name="p">Strides and depth; its A, B and C are not used.</param>
    public static void Run(in Product<T> p, int rows, T* a, T* b, T* c)
    {
        var most = TLanes.HasManyRegisters ? 14 : 6;
        while (rows > 0)
        {
            var tile = Math.Min(rows, most);
            switch (tile)
            {
                case >= 14:
                    Tile14(in p, a, b, c);
                    tile = 14;
                    break;
                case >= 8:
                    Tile8(in p, a, b, c);
                    tile = 8;
                    break;
                case >= 6:
                    Tile6(in p, a, b, c);
                    tile = 6;
                    break;
                case >= 4:
                    Tile4(in p, a, b, c);
                    tile = 4;
                    break;
                case >= 2:
                    Tile2(in p, a, b, c);
                    tile = 2;
                    break;
                default:
                    Tile1(in p, a, b, c);
                    break;
            }

            rows -= tile;
            a += tile * p.RowStride;
            c += tile * p.ResultStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(TVector a, TVector b0, TVector b1, ref TVector left, ref TVector right)
    {
        left = TLanes.MultiplyAdd(a, b0, left);
        right = TLanes.MultiplyAdd(a, b1, right);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(in Product<T> o, TVector left, TVector right, T* c)
    {
        var scale = TLanes.Create(o.Scale);
        if (o.Keep == T.Zero)
        {
            TLanes.Store(TLanes.Multiply(scale, left), c);
            TLanes.Store(TLanes.Multiply(scale, right), c + TLanes.Count);
        }
        else
        {
            var keep = TLanes.Create(o.Keep);
            TLanes.Store(TLanes.MultiplyAdd(scale, left, TLanes.Multiply(keep, TLanes.Load(c))), c);
            TLanes.Store(TLanes.MultiplyAdd(scale, right, TLanes.Multiply(keep, TLanes.Load(c + TLanes.Count))), c + TLanes.Count);
        }
    }

    /// <summary>A tile of 14 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile14(in Product<T> o, T* a, T* b, T* c)
    {
        TVector s0 = TLanes.Zero, t0 = TLanes.Zero;
        TVector s1 = TLanes.Zero, t1 = TLanes.Zero;
        TVector s2 = TLanes.Zero, t2 = TLanes.Zero;
        TVector s3 = TLanes.Zero, t3 = TLanes.Zero;
        TVector s4 = TLanes.Zero, t4 = TLanes.Zero;
        TVector s5 = TLanes.Zero, t5 = TLanes.Zero;
        TVector s6 = TLanes.Zero, t6 = TLanes.Zero;
        TVector s7 = TLanes.Zero, t7 = TLanes.Zero;
        TVector s8 = TLanes.Zero, t8 = TLanes.Zero;
        TVector s9 = TLanes.Zero, t9 = TLanes.Zero;
        TVector s10 = TLanes.Zero, t10 = TLanes.Zero;
        TVector s11 = TLanes.Zero, t11 = TLanes.Zero;
        TVector s12 = TLanes.Zero, t12 = TLanes.Zero;
        TVector s13 = TLanes.Zero, t13 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                var b1 = TLanes.Load(b + TLanes.Count);
                Add(TLanes.Broadcast(p), b0, b1, ref s0, ref t0);
                Add(TLanes.Broadcast(p + row), b0, b1, ref s1, ref t1);
                Add(TLanes.Broadcast(p + (2 * row)), b0, b1, ref s2, ref t2);
                var p3 = p + (3 * row);
                Add(TLanes.Broadcast(p3), b0, b1, ref s3, ref t3);
                Add(TLanes.Broadcast(p3 + row), b0, b1, ref s4, ref t4);
                Add(TLanes.Broadcast(p3 + (2 * row)), b0, b1, ref s5, ref t5);
                var p6 = p + (6 * row);
                Add(TLanes.Broadcast(p6), b0, b1, ref s6, ref t6);
                Add(TLanes.Broadcast(p6 + row), b0, b1, ref s7, ref t7);
                Add(TLanes.Broadcast(p6 + (2 * row)), b0, b1, ref s8, ref t8);
                var p9 = p + (9 * row);
                Add(TLanes.Broadcast(p9), b0, b1, ref s9, ref t9);
                Add(TLanes.Broadcast(p9 + row), b0, b1, ref s10, ref t10);
                Add(TLanes.Broadcast(p9 + (2 * row)), b0, b1, ref s11, ref t11);
                var p12 = p + (12 * row);
                Add(TLanes.Broadcast(p12), b0, b1, ref s12, ref t12);
                Add(TLanes.Broadcast(p12 + row), b0, b1, ref s13, ref t13);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, t0, c);
        Put(in o, s1, t1, c + o.ResultStride);
        Put(in o, s2, t2, c + (2 * o.ResultStride));
        Put(in o, s3, t3, c + (3 * o.ResultStride));
        Put(in o, s4, t4, c + (4 * o.ResultStride));
        Put(in o, s5, t5, c + (5 * o.ResultStride));
        Put(in o, s6, t6, c + (6 * o.ResultStride));
        Put(in o, s7, t7, c + (7 * o.ResultStride));
        Put(in o, s8, t8, c + (8 * o.ResultStride));
        Put(in o, s9, t9, c + (9 * o.ResultStride));
        Put(in o, s10, t10, c + (10 * o.ResultStride));
        Put(in o, s11, t11, c + (11 * o.ResultStride));
        Put(in o, s12, t12, c + (12 * o.ResultStride));
        Put(in o, s13, t13, c + (13 * o.ResultStride));
    }

    /// <summary>A tile of 8 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8(in Product<T> o, T* a, T* b, T* c)
    {
        TVector s0 = TLanes.Zero, t0 = TLanes.Zero;
        TVector s1 = TLanes.Zero, t1 = TLanes.Zero;
        TVector s2 = TLanes.Zero, t2 = TLanes.Zero;
        TVector s3 = TLanes.Zero, t3 = TLanes.Zero;
        TVector s4 = TLanes.Zero, t4 = TLanes.Zero;
        TVector s5 = TLanes.Zero, t5 = TLanes.Zero;
        TVector s6 = TLanes.Zero, t6 = TLanes.Zero;
        TVector s7 = TLanes.Zero, t7 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                var b1 = TLanes.Load(b + TLanes.Count);
                Add(TLanes.Broadcast(p), b0, b1, ref s0, ref t0);
                Add(TLanes.Broadcast(p + row), b0, b1, ref s1, ref t1);
                Add(TLanes.Broadcast(p + (2 * row)), b0, b1, ref s2, ref t2);
                var p3 = p + (3 * row);
                Add(TLanes.Broadcast(p3), b0, b1, ref s3, ref t3);
                Add(TLanes.Broadcast(p3 + row), b0, b1, ref s4, ref t4);
                Add(TLanes.Broadcast(p3 + (2 * row)), b0, b1, ref s5, ref t5);
                var p6 = p + (6 * row);
                Add(TLanes.Broadcast(p6), b0, b1, ref s6, ref t6);
                Add(TLanes.Broadcast(p6 + row), b0, b1, ref s7, ref t7);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, t0, c);
        Put(in o, s1, t1, c + o.ResultStride);
        Put(in o, s2, t2, c + (2 * o.ResultStride));
        Put(in o, s3, t3, c + (3 * o.ResultStride));
        Put(in o, s4, t4, c + (4 * o.ResultStride));
        Put(in o, s5, t5, c + (5 * o.ResultStride));
        Put(in o, s6, t6, c + (6 * o.ResultStride));
        Put(in o, s7, t7, c + (7 * o.ResultStride));
    }

    /// <summary>A tile of 6 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile6(in Product<T> o, T* a, T* b, T* c)
    {
        TVector s0 = TLanes.Zero, t0 = TLanes.Zero;
        TVector s1 = TLanes.Zero, t1 = TLanes.Zero;
        TVector s2 = TLanes.Zero, t2 = TLanes.Zero;
        TVector s3 = TLanes.Zero, t3 = TLanes.Zero;
        TVector s4 = TLanes.Zero, t4 = TLanes.Zero;
        TVector s5 = TLanes.Zero, t5 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                var b1 = TLanes.Load(b + TLanes.Count);
                Add(TLanes.Broadcast(p), b0, b1, ref s0, ref t0);
                Add(TLanes.Broadcast(p + row), b0, b1, ref s1, ref t1);
                Add(TLanes.Broadcast(p + (2 * row)), b0, b1, ref s2, ref t2);
                var p3 = p + (3 * row);
                Add(TLanes.Broadcast(p3), b0, b1, ref s3, ref t3);
                Add(TLanes.Broadcast(p3 + row), b0, b1, ref s4, ref t4);
                Add(TLanes.Broadcast(p3 + (2 * row)), b0, b1, ref s5, ref t5);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, t0, c);
        Put(in o, s1, t1, c + o.ResultStride);
        Put(in o, s2, t2, c + (2 * o.ResultStride));
        Put(in o, s3, t3, c + (3 * o.ResultStride));
        Put(in o, s4, t4, c + (4 * o.ResultStride));
        Put(in o, s5, t5, c + (5 * o.ResultStride));
    }

    /// <summary>A tile of 4 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(in Product<T> o, T* a, T* b, T* c)
    {
        TVector s0 = TLanes.Zero, t0 = TLanes.Zero;
        TVector s1 = TLanes.Zero, t1 = TLanes.Zero;
        TVector s2 = TLanes.Zero, t2 = TLanes.Zero;
        TVector s3 = TLanes.Zero, t3 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                var b1 = TLanes.Load(b + TLanes.Count);
                Add(TLanes.Broadcast(p), b0, b1, ref s0, ref t0);
                Add(TLanes.Broadcast(p + row), b0, b1, ref s1, ref t1);
                Add(TLanes.Broadcast(p + (2 * row)), b0, b1, ref s2, ref t2);
                var p3 = p + (3 * row);
                Add(TLanes.Broadcast(p3), b0, b1, ref s3, ref t3);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, t0, c);
        Put(in o, s1, t1, c + o.ResultStride);
        Put(in o, s2, t2, c + (2 * o.ResultStride));
        Put(in o, s3, t3, c + (3 * o.ResultStride));
    }

    /// <summary>A tile of 2 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2(in Product<T> o, T* a, T* b, T* c)
    {
        TVector s0 = TLanes.Zero, t0 = TLanes.Zero;
        TVector s1 = TLanes.Zero, t1 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                var b1 = TLanes.Load(b + TLanes.Count);
                Add(TLanes.Broadcast(p), b0, b1, ref s0, ref t0);
                Add(TLanes.Broadcast(p + row), b0, b1, ref s1, ref t1);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, t0, c);
        Put(in o, s1, t1, c + o.ResultStride);
    }

    /// <summary>A tile of 1 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(in Product<T> o, T* a, T* b, T* c)
    {
        TVector s0 = TLanes.Zero, t0 = TLanes.Zero;
        nint row = o.RowStride, step = o.DepthStride, panel = o.PanelStride;
        for (var segment = o.Segments; segment > 0; segment--)
        {
            var p = a;
            for (var k = o.Depth; k > 0; k--)
            {
                var b0 = TLanes.Load(b);
                var b1 = TLanes.Load(b + TLanes.Count);
                Add(TLanes.Broadcast(p), b0, b1, ref s0, ref t0);
                p += step;
                b += panel;
            }

            a += o.SegmentStride;
            b += o.PanelSegmentStride - (o.Depth * panel);
        }

        Put(in o, s0, t0, c);
    }
}
