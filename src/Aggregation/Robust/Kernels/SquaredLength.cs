using System.Numerics;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>
/// Σ x_j² of a vector that comes in pieces. Coordinate j always goes to lane j mod 16, so that the bits do not depend on how the vector
/// was cut, nor on whether its zeros were sent.
/// </summary>
internal unsafe struct SquaredLength
{
    private fixed double lanes[Wide.Count];

    public readonly double Total => Wide.Sum(Lane(0) + Lane(8));

    public static double Of<T>(ReadOnlySpan<T> vector)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var length = default(SquaredLength);
        length.Add(0, vector);
        return length.Total;
    }

    /// <summary>Adds coordinates <paramref name="offset"/>, offset + 1, ….</summary>
    public void Add<T>(int offset, ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var j = 0;
        if (offset % Wide.Count == 0)
        {
            var (s0, s1) = (Lane(0), Lane(8));
            fixed (T* first = values)
            {
                for (; j + Wide.Count <= values.Length; j += Wide.Count)
                {
                    var (lower, upper) = Wide.Load(first + j);
                    s0 = Vector512.FusedMultiplyAdd(lower, lower, s0);
                    s1 = Vector512.FusedMultiplyAdd(upper, upper, s1);
                }
            }

            fixed (double* target = lanes)
            {
                s0.Store(target);
                s1.Store(target + 8);
            }
        }

        for (; j < values.Length; j++)
        {
            AddOne(offset + j, values[j]);
        }
    }

    /// <summary>Adds coordinates at the given indices.</summary>
    public void Add<T>(ReadOnlySpan<int> indices, ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = 0; i < indices.Length; i++)
        {
            AddOne(indices[i], values[i]);
        }
    }

    private void AddOne<T>(int index, T value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var wide = double.CreateTruncating(value);
        ref var lane = ref lanes[index % Wide.Count];
        lane = Math.FusedMultiplyAdd(wide, wide, lane);
    }

    private readonly Vector512<double> Lane(int first)
    {
        fixed (double* source = lanes)
        {
            return Vector512.Load(source + first);
        }
    }
}
