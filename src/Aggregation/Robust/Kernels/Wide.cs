using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>Sixteen coordinates of float or double as two vectors of eight doubles: the unit in which kernels accumulate.</summary>
internal static unsafe class Wide
{
    /// <summary>Coordinates per unit.</summary>
    public const int Count = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<double> Lower, Vector512<double> Upper) Load<T>(T* source)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float))
        {
            return Vector512.Widen(Vector512.Load((float*)source));
        }

        return (Vector512.Load((double*)source), Vector512.Load((double*)source + 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Vector512<double> lower, Vector512<double> upper, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float))
        {
            Vector512.Narrow(lower, upper).Store((float*)target);
        }
        else
        {
            lower.Store((double*)target);
            upper.Store((double*)target + 8);
        }
    }

    /// <summary>Writes the coordinates as doubles, zeros behind their end up to a multiple of <see cref="Count"/>.</summary>
    public static void Spread<T>(ReadOnlySpan<T> source, double* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var whole = source.Length - (source.Length % Count);
        fixed (T* first = source)
        {
            for (var j = 0; j < whole; j += Count)
            {
                var (lower, upper) = Load(first + j);
                lower.Store(target + j);
                upper.Store(target + j + 8);
            }
        }

        if (whole < source.Length)
        {
            new Span<double>(target + whole, Count).Clear();
            for (var j = whole; j < source.Length; j++)
            {
                target[j] = double.CreateTruncating(source[j]);
            }
        }
    }

    /// <summary>The lanes' sum in ascending lane order, the same on every width of hardware.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(Vector512<double> vector)
    {
        var halves = vector.GetLower() + vector.GetUpper();
        var quarter = halves.GetLower() + halves.GetUpper();
        return quarter[0] + quarter[1];
    }
}
