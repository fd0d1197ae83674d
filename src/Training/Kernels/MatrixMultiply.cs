using System.Numerics;
using System.Runtime.Intrinsics;

namespace Federated.Training.Kernels;

/// <summary>
/// Matrix products on one core, by our own register tiles on the widest vectors that the CPU has. No native library is involved.
/// </summary>
/// <remarks>
/// Blocking: a panel of B (256 × two registers, 32 KiB) is copied into L1 and reused by every row tile, while A streams from L2; A needs no
/// packing, since a tile reads it by broadcasts at 4 bytes per cycle. The result depends on shapes and register width, not on
/// alignment, threads or history.
/// </remarks>
internal static unsafe class MatrixMultiply
{
    private const int DepthBlock = 256;
    private const int RowBlock = 1024;

    // Below this many rows a panel is read so few times that copying it first costs more than it saves.
    private const int RowsWorthPacking = 16;

    /// <summary>C ← keep·C + scale·A·B, as <paramref name="p"/> says.</summary>
    public static void Multiply<T>(in Product<T> p, AlignedBuffer<T> scratch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Multiply<T, Vector512<T>, Lanes512<T>>(in p, scratch);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Multiply<T, Vector256<T>, Lanes256<T>>(in p, scratch);
        }
        else
        {
            Multiply<T, Vector<T>, LanesAny<T>>(in p, scratch);
        }
    }

    /// <summary>C[m × n] ← A[m × k]·Bᵀ + bias, where B is [n × k] and the n biases are added to every row; the matrices are row-major with the given row strides.</summary>
    public static void MultiplyTransposed<T>(
        T* a, nint strideA, T* b, nint strideB, T* bias, T* c, nint strideC, int m, int n, int k, AlignedBuffer<T> scratch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated)
        {
            MultiplyTransposed<T, Vector512<T>, Lanes512<T>>(a, strideA, b, strideB, bias, c, strideC, m, n, k, scratch);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            MultiplyTransposed<T, Vector256<T>, Lanes256<T>>(a, strideA, b, strideB, bias, c, strideC, m, n, k, scratch);
        }
        else
        {
            MultiplyTransposed<T, Vector<T>, LanesAny<T>>(a, strideA, b, strideB, bias, c, strideC, m, n, k, scratch);
        }
    }

    internal static void Multiply<T, TVector, TLanes>(in Product<T> p, AlignedBuffer<T> scratch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var width = OuterTiles<T, TVector, TLanes>.Width;
        var block = p;
        block.Depth = p.Segments == 1 && !p.IsPacked ? Math.Min(p.Depth, DepthBlock) : p.Depth;
        var panel = scratch.Reserve((block.Depth * p.Segments * width) + (Math.Min(p.Rows, RowBlock) * width));
        for (var depth = 0; depth < p.Depth || depth == 0; depth += block.Depth)
        {
            block.Depth = Math.Min(block.Depth, p.Depth - depth);
            block.A = p.A + (depth * p.DepthStride);
            block.B = p.B + (depth * p.PanelStride);
            for (var row = 0; row < p.Rows; row += RowBlock)
            {
                var rows = Math.Min(RowBlock, p.Rows - row);
                for (var column = 0; column < p.Columns; column += width)
                {
                    Panel<T, TVector, TLanes>(in block, row, rows, column, panel);
                }
            }

            block.Keep = T.One;
        }
    }

    private static void Panel<T, TVector, TLanes>(in Product<T> p, int row, int rows, int column, T* panel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var full = OuterTiles<T, TVector, TLanes>.Width;
        var columns = Math.Min(full, p.Columns - column);
        var width = columns <= TLanes.Count ? TLanes.Count : full;
        var a = p.A + (row * p.RowStride);
        var b = p.B + (column / full * (p.PanelOffset == 0 ? full : p.PanelOffset));
        var c = p.C + (row * p.ResultStride) + column;
        var q = p;
        if (p.IsPacked)
        {
            q.PanelStride = width;
            q.PanelSegmentStride = p.Depth * width;
        }
        else if (p.PanelStride != width && ((columns != width && !p.IsPadded) || rows >= RowsWorthPacking))
        {
            Pack<T, TVector, TLanes>(in p, b, columns, width, panel);
            b = panel;
            q.PanelStride = width;
            q.PanelSegmentStride = p.Depth * width;
        }

        // Rows of C that are padded to whole registers take the padding's zeros; otherwise what lies beyond C must stay as it is.
        if (columns == width || p.IsPadded)
        {
            Tiles<T, TVector, TLanes>(in q, width, rows, a, b, c);
            return;
        }

        var tile = panel + (p.Depth * p.Segments * width);
        (q.ResultStride, q.Keep, q.Scale) = (width, T.Zero, T.One);
        Tiles<T, TVector, TLanes>(in q, width, rows, a, b, tile);
        for (var r = 0; r < rows; r++, c += p.ResultStride, tile += width)
        {
            for (var j = 0; j < columns; j++)
            {
                c[j] = p.Keep == T.Zero ? p.Scale * tile[j] : T.MultiplyAddEstimate(p.Scale, tile[j], p.Keep * c[j]);
            }
        }
    }

    private static void Tiles<T, TVector, TLanes>(in Product<T> p, int width, int rows, T* a, T* b, T* c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        if (width == TLanes.Count)
        {
            NarrowTiles<T, TVector, TLanes>.Run(in p, rows, a, b, c);
        }
        else
        {
            OuterTiles<T, TVector, TLanes>.Run(in p, rows, a, b, c);
        }
    }

    private static void Pack<T, TVector, TLanes>(in Product<T> p, T* b, int columns, int width, T* panel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        for (var segment = 0; segment < p.Segments; segment++)
        {
            var source = b + (segment * p.PanelSegmentStride);
            for (var k = 0; k < p.Depth; k++, source += p.PanelStride, panel += width)
            {
                if (columns == width)
                {
                    for (var j = 0; j < width; j += TLanes.Count)
                    {
                        TLanes.Store(TLanes.Load(source + j), panel + j);
                    }

                    continue;
                }

                for (var j = 0; j < width; j++)
                {
                    panel[j] = j < columns ? source[j] : T.Zero;
                }
            }
        }
    }

    internal static void MultiplyTransposed<T, TVector, TLanes>(
        T* a, nint strideA, T* b, nint strideB, T* bias, T* c, nint strideC, int m, int n, int k, AlignedBuffer<T> scratch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var lanes = TLanes.Count;
        const int Width = DotTiles<T, TVector, TLanes>.Width;
        var rest = k % lanes;
        var tailB = scratch.Reserve((Width + (k < lanes ? m : 0)) * lanes);
        var tile = new DotTile<T>
        {
            RowStrideA = strideA,
            RowStrideB = strideB,
            ResultStride = strideC,
            FullVectors = k / lanes,
            TailVectors = rest == 0 ? 0 : 1,
            TailStrideA = strideA,
            TailB = tailB,
        };

        // The rest is the last full register of the row, with zeros in B where it overlaps what has been summed already.
        var tailA = a + k - lanes;
        var from = k - lanes;
        if (k < lanes)
        {
            tailA = tailB + (Width * lanes);
            tile.TailStrideA = lanes;
            from = 0;
            for (var r = 0; r < m; r++)
            {
                for (var i = 0; i < lanes; i++)
                {
                    tailA[(r * lanes) + i] = i < k ? a[(r * strideA) + i] : T.Zero;
                }
            }
        }

        for (var column = 0; column < n; column += Width)
        {
            var columns = Math.Min(Width, n - column);
            tile.B = b + (column * strideB);
            tile.Bias = bias + column;
            for (var j = 0; rest != 0 && j < columns; j++)
            {
                for (var i = 0; i < lanes; i++)
                {
                    var source = from + i;
                    tailB[(j * lanes) + i] = source >= k - rest && source < k ? tile.B[(j * strideB) + source] : T.Zero;
                }
            }

            DotTiles<T, TVector, TLanes>.Run(in tile, m, columns, a, tailA, c + column);
        }
    }
}
