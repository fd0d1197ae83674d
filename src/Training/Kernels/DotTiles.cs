using System.Numerics;
using System.Runtime.CompilerServices;

namespace Federated.Training.Kernels;

/// <summary>What all tiles of one strip of B have in common; see <see cref="DotTiles{T, TVector, TLanes}"/>.</summary>
internal unsafe struct DotTile<T>
    where T : unmanaged
{
    public T* B;
    public nint RowStrideA;
    public nint RowStrideB;
    public nint ResultStride;

    /// <summary>Whole registers along the depth.</summary>
    public nint FullVectors;

    /// <summary>1 when a rest shorter than a register follows, read from the tails; otherwise 0.</summary>
    public nint TailVectors;
    public nint TailStrideA;
    public T* TailB;

    /// <summary>One value per row of B, added to its column of C.</summary>
    public T* Bias;
}

/// <summary>
/// Register tiles of the inner-product form C = A·Bᵀ + bias: both operands run along their contiguous depth, so that a weight matrix stored
/// [out, in] is used as it stands, without the transpose that costs more than it saves when A has few rows (a mini-batch).
/// </summary>
/// <remarks>
/// 5×5 divides the usual batch sizes and layer widths (10, 20, 50, 200) and uses 25 accumulators. On CPUs with 16 registers a part of them
/// spills; the outer-product form is then used instead where the batch is large. The order of summation depends on the depth and
/// the register width only: an element has the same bits in whichever tile it falls.
/// </remarks>
internal static unsafe class DotTiles<T, TVector, TLanes>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<T, TVector>
{
    /// <summary>Rows of B in one strip.</summary>
    public const int Width = 5;

    /// <summary>Computes <paramref name="rows"/> rows of A against one strip of <paramref name="columns"/> (at most 5) rows of B.</summary>
    public static void Run(in DotTile<T> o, int rows, int columns, T* a, T* tail, T* c)
    {
        if (columns == Width)
        {
            for (; rows >= 5; rows -= 5, a += 5 * o.RowStrideA, tail += 5 * o.TailStrideA, c += 5 * o.ResultStride)
            {
                Tile5x5(in o, a, tail, c);
            }

            for (; rows >= 2; rows -= 2, a += 2 * o.RowStrideA, tail += 2 * o.TailStrideA, c += 2 * o.ResultStride)
            {
                Tile2x5(in o, a, tail, c);
            }

            if (rows > 0)
            {
                Tile1x5(in o, a, tail, c);
            }

            return;
        }

        for (; rows >= 5; rows -= 5, a += 5 * o.RowStrideA, tail += 5 * o.TailStrideA, c += 5 * o.ResultStride)
        {
            for (var j = 0; j < columns; j++)
            {
                Tile5x1(Column(in o, j), a, tail, c + j);
            }
        }

        for (; rows > 0; rows--, a += o.RowStrideA, tail += o.TailStrideA, c += o.ResultStride)
        {
            for (var j = 0; j < columns; j++)
            {
                Tile1x1(Column(in o, j), a, tail, c + j);
            }
        }
    }

    private static DotTile<T> Column(in DotTile<T> o, int column)
    {
        var one = o;
        one.B += column * o.RowStrideB;
        one.TailB += column * TLanes.Count;
        one.Bias += column;
        return one;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile5x5(in DotTile<T> o, T* a, T* tail, T* c)
    {
        TVector s00 = TLanes.Zero, s01 = TLanes.Zero, s02 = TLanes.Zero, s03 = TLanes.Zero, s04 = TLanes.Zero;
        TVector s10 = TLanes.Zero, s11 = TLanes.Zero, s12 = TLanes.Zero, s13 = TLanes.Zero, s14 = TLanes.Zero;
        TVector s20 = TLanes.Zero, s21 = TLanes.Zero, s22 = TLanes.Zero, s23 = TLanes.Zero, s24 = TLanes.Zero;
        TVector s30 = TLanes.Zero, s31 = TLanes.Zero, s32 = TLanes.Zero, s33 = TLanes.Zero, s34 = TLanes.Zero;
        TVector s40 = TLanes.Zero, s41 = TLanes.Zero, s42 = TLanes.Zero, s43 = TLanes.Zero, s44 = TLanes.Zero;
        var b = o.B;
        nint rowA = o.RowStrideA, rowB = o.RowStrideB;
        var steps = o.FullVectors;
        for (var part = 0; part < 2; part++)
        {
            for (; steps > 0; steps--)
            {
                var a0 = TLanes.Load(a);
                var a1 = TLanes.Load(a + rowA);
                var a2 = TLanes.Load(a + (2 * rowA));
                var a3 = TLanes.Load(a + (3 * rowA));
                var a4 = TLanes.Load(a + (4 * rowA));
                var b0 = TLanes.Load(b);
                s00 = TLanes.MultiplyAdd(a0, b0, s00);
                s10 = TLanes.MultiplyAdd(a1, b0, s10);
                s20 = TLanes.MultiplyAdd(a2, b0, s20);
                s30 = TLanes.MultiplyAdd(a3, b0, s30);
                s40 = TLanes.MultiplyAdd(a4, b0, s40);
                var b1 = TLanes.Load(b + rowB);
                s01 = TLanes.MultiplyAdd(a0, b1, s01);
                s11 = TLanes.MultiplyAdd(a1, b1, s11);
                s21 = TLanes.MultiplyAdd(a2, b1, s21);
                s31 = TLanes.MultiplyAdd(a3, b1, s31);
                s41 = TLanes.MultiplyAdd(a4, b1, s41);
                var b2 = TLanes.Load(b + (2 * rowB));
                s02 = TLanes.MultiplyAdd(a0, b2, s02);
                s12 = TLanes.MultiplyAdd(a1, b2, s12);
                s22 = TLanes.MultiplyAdd(a2, b2, s22);
                s32 = TLanes.MultiplyAdd(a3, b2, s32);
                s42 = TLanes.MultiplyAdd(a4, b2, s42);
                var b3 = TLanes.Load(b + (3 * rowB));
                s03 = TLanes.MultiplyAdd(a0, b3, s03);
                s13 = TLanes.MultiplyAdd(a1, b3, s13);
                s23 = TLanes.MultiplyAdd(a2, b3, s23);
                s33 = TLanes.MultiplyAdd(a3, b3, s33);
                s43 = TLanes.MultiplyAdd(a4, b3, s43);
                var b4 = TLanes.Load(b + (4 * rowB));
                s04 = TLanes.MultiplyAdd(a0, b4, s04);
                s14 = TLanes.MultiplyAdd(a1, b4, s14);
                s24 = TLanes.MultiplyAdd(a2, b4, s24);
                s34 = TLanes.MultiplyAdd(a3, b4, s34);
                s44 = TLanes.MultiplyAdd(a4, b4, s44);
                a += TLanes.Count;
                b += TLanes.Count;
            }

            steps = o.TailVectors;
            a = tail;
            b = o.TailB;
            rowA = o.TailStrideA;
            rowB = TLanes.Count;
        }

        c[0] = TLanes.Sum(s00) + o.Bias[0];
        c[1] = TLanes.Sum(s01) + o.Bias[1];
        c[2] = TLanes.Sum(s02) + o.Bias[2];
        c[3] = TLanes.Sum(s03) + o.Bias[3];
        c[4] = TLanes.Sum(s04) + o.Bias[4];
        c[o.ResultStride] = TLanes.Sum(s10) + o.Bias[0];
        c[o.ResultStride + 1] = TLanes.Sum(s11) + o.Bias[1];
        c[o.ResultStride + 2] = TLanes.Sum(s12) + o.Bias[2];
        c[o.ResultStride + 3] = TLanes.Sum(s13) + o.Bias[3];
        c[o.ResultStride + 4] = TLanes.Sum(s14) + o.Bias[4];
        c[(2 * o.ResultStride)] = TLanes.Sum(s20) + o.Bias[0];
        c[(2 * o.ResultStride) + 1] = TLanes.Sum(s21) + o.Bias[1];
        c[(2 * o.ResultStride) + 2] = TLanes.Sum(s22) + o.Bias[2];
        c[(2 * o.ResultStride) + 3] = TLanes.Sum(s23) + o.Bias[3];
        c[(2 * o.ResultStride) + 4] = TLanes.Sum(s24) + o.Bias[4];
        c[(3 * o.ResultStride)] = TLanes.Sum(s30) + o.Bias[0];
        c[(3 * o.ResultStride) + 1] = TLanes.Sum(s31) + o.Bias[1];
        c[(3 * o.ResultStride) + 2] = TLanes.Sum(s32) + o.Bias[2];
        c[(3 * o.ResultStride) + 3] = TLanes.Sum(s33) + o.Bias[3];
        c[(3 * o.ResultStride) + 4] = TLanes.Sum(s34) + o.Bias[4];
        c[(4 * o.ResultStride)] = TLanes.Sum(s40) + o.Bias[0];
        c[(4 * o.ResultStride) + 1] = TLanes.Sum(s41) + o.Bias[1];
        c[(4 * o.ResultStride) + 2] = TLanes.Sum(s42) + o.Bias[2];
        c[(4 * o.ResultStride) + 3] = TLanes.Sum(s43) + o.Bias[3];
        c[(4 * o.ResultStride) + 4] = TLanes.Sum(s44) + o.Bias[4];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x5(in DotTile<T> o, T* a, T* tail, T* c)
    {
        TVector s00 = TLanes.Zero, s01 = TLanes.Zero, s02 = TLanes.Zero, s03 = TLanes.Zero, s04 = TLanes.Zero;
        TVector s10 = TLanes.Zero, s11 = TLanes.Zero, s12 = TLanes.Zero, s13 = TLanes.Zero, s14 = TLanes.Zero;
        var b = o.B;
        nint rowA = o.RowStrideA, rowB = o.RowStrideB;
        var steps = o.FullVectors;
        for (var part = 0; part < 2; part++)
        {
            for (; steps > 0; steps--)
            {
                var a0 = TLanes.Load(a);
                var a1 = TLanes.Load(a + rowA);
                var b0 = TLanes.Load(b);
                s00 = TLanes.MultiplyAdd(a0, b0, s00);
                s10 = TLanes.MultiplyAdd(a1, b0, s10);
                var b1 = TLanes.Load(b + rowB);
                s01 = TLanes.MultiplyAdd(a0, b1, s01);
                s11 = TLanes.MultiplyAdd(a1, b1, s11);
                var b2 = TLanes.Load(b + (2 * rowB));
                s02 = TLanes.MultiplyAdd(a0, b2, s02);
                s12 = TLanes.MultiplyAdd(a1, b2, s12);
                var b3 = TLanes.Load(b + (3 * rowB));
                s03 = TLanes.MultiplyAdd(a0, b3, s03);
                s13 = TLanes.MultiplyAdd(a1, b3, s13);
                var b4 = TLanes.Load(b + (4 * rowB));
                s04 = TLanes.MultiplyAdd(a0, b4, s04);
                s14 = TLanes.MultiplyAdd(a1, b4, s14);
                a += TLanes.Count;
                b += TLanes.Count;
            }

            steps = o.TailVectors;
            a = tail;
            b = o.TailB;
            rowA = o.TailStrideA;
            rowB = TLanes.Count;
        }

        c[0] = TLanes.Sum(s00) + o.Bias[0];
        c[1] = TLanes.Sum(s01) + o.Bias[1];
        c[2] = TLanes.Sum(s02) + o.Bias[2];
        c[3] = TLanes.Sum(s03) + o.Bias[3];
        c[4] = TLanes.Sum(s04) + o.Bias[4];
        c[o.ResultStride] = TLanes.Sum(s10) + o.Bias[0];
        c[o.ResultStride + 1] = TLanes.Sum(s11) + o.Bias[1];
        c[o.ResultStride + 2] = TLanes.Sum(s12) + o.Bias[2];
        c[o.ResultStride + 3] = TLanes.Sum(s13) + o.Bias[3];
        c[o.ResultStride + 4] = TLanes.Sum(s14) + o.Bias[4];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x5(in DotTile<T> o, T* a, T* tail, T* c)
    {
        TVector s00 = TLanes.Zero, s01 = TLanes.Zero, s02 = TLanes.Zero, s03 = TLanes.Zero, s04 = TLanes.Zero;
        var b = o.B;
        nint rowA = o.RowStrideA, rowB = o.RowStrideB;
        var steps = o.FullVectors;
        for (var part = 0; part < 2; part++)
        {
            for (; steps > 0; steps--)
            {
                var a0 = TLanes.Load(a);
                var b0 = TLanes.Load(b);
                s00 = TLanes.MultiplyAdd(a0, b0, s00);
                var b1 = TLanes.Load(b + rowB);
                s01 = TLanes.MultiplyAdd(a0, b1, s01);
                var b2 = TLanes.Load(b + (2 * rowB));
                s02 = TLanes.MultiplyAdd(a0, b2, s02);
                var b3 = TLanes.Load(b + (3 * rowB));
                s03 = TLanes.MultiplyAdd(a0, b3, s03);
                var b4 = TLanes.Load(b + (4 * rowB));
                s04 = TLanes.MultiplyAdd(a0, b4, s04);
                a += TLanes.Count;
                b += TLanes.Count;
            }

            steps = o.TailVectors;
            a = tail;
            b = o.TailB;
            rowA = o.TailStrideA;
            rowB = TLanes.Count;
        }

        c[0] = TLanes.Sum(s00) + o.Bias[0];
        c[1] = TLanes.Sum(s01) + o.Bias[1];
        c[2] = TLanes.Sum(s02) + o.Bias[2];
        c[3] = TLanes.Sum(s03) + o.Bias[3];
        c[4] = TLanes.Sum(s04) + o.Bias[4];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile5x1(in DotTile<T> o, T* a, T* tail, T* c)
    {
        TVector s00 = TLanes.Zero;
        TVector s10 = TLanes.Zero;
        TVector s20 = TLanes.Zero;
        TVector s30 = TLanes.Zero;
        TVector s40 = TLanes.Zero;
        var b = o.B;
        nint rowA = o.RowStrideA, rowB = o.RowStrideB;
        var steps = o.FullVectors;
        for (var part = 0; part < 2; part++)
        {
            for (; steps > 0; steps--)
            {
                var a0 = TLanes.Load(a);
                var a1 = TLanes.Load(a + rowA);
                var a2 = TLanes.Load(a + (2 * rowA));
                var a3 = TLanes.Load(a + (3 * rowA));
                var a4 = TLanes.Load(a + (4 * rowA));
                var b0 = TLanes.Load(b);
                s00 = TLanes.MultiplyAdd(a0, b0, s00);
                s10 = TLanes.MultiplyAdd(a1, b0, s10);
                s20 = TLanes.MultiplyAdd(a2, b0, s20);
                s30 = TLanes.MultiplyAdd(a3, b0, s30);
                s40 = TLanes.MultiplyAdd(a4, b0, s40);
                a += TLanes.Count;
                b += TLanes.Count;
            }

            steps = o.TailVectors;
            a = tail;
            b = o.TailB;
            rowA = o.TailStrideA;
            rowB = TLanes.Count;
        }

        c[0] = TLanes.Sum(s00) + o.Bias[0];
        c[o.ResultStride] = TLanes.Sum(s10) + o.Bias[0];
        c[(2 * o.ResultStride)] = TLanes.Sum(s20) + o.Bias[0];
        c[(3 * o.ResultStride)] = TLanes.Sum(s30) + o.Bias[0];
        c[(4 * o.ResultStride)] = TLanes.Sum(s40) + o.Bias[0];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x1(in DotTile<T> o, T* a, T* tail, T* c)
    {
        TVector s00 = TLanes.Zero;
        var b = o.B;
        nint rowA = o.RowStrideA, rowB = o.RowStrideB;
        var steps = o.FullVectors;
        for (var part = 0; part < 2; part++)
        {
            for (; steps > 0; steps--)
            {
                var a0 = TLanes.Load(a);
                var b0 = TLanes.Load(b);
                s00 = TLanes.MultiplyAdd(a0, b0, s00);
                a += TLanes.Count;
                b += TLanes.Count;
            }

            steps = o.TailVectors;
            a = tail;
            b = o.TailB;
            rowA = o.TailStrideA;
            rowB = TLanes.Count;
        }

        c[0] = TLanes.Sum(s00) + o.Bias[0];
    }
}
