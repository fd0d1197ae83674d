using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Privacy.Local.Vectors;

/// <summary>Inner products in double and combinations of vectors, in a fixed order of operations.</summary>
internal static class VectorMath
{
    /// <summary>⟨a, b⟩ accumulated in double, eight lanes on every machine.</summary>
    public static double Dot<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sum = 0.0;
        var done = 0;
        if (typeof(T) == typeof(float))
        {
            var x = MemoryMarshal.Cast<T, Vector256<float>>(a);
            var y = MemoryMarshal.Cast<T, Vector256<float>>(b);
            var low = Vector256<double>.Zero;
            var high = low;
            for (var i = 0; i < x.Length; i++)
            {
                var (xl, xh) = Vector256.Widen(x[i]);
                var (yl, yh) = Vector256.Widen(y[i]);
                low += xl * yl;
                high += xh * yh;
            }

            sum = Vector256.Sum(low + high);
            done = x.Length * Vector256<float>.Count;
        }

        for (var i = done; i < a.Length; i++)
        {
            sum += double.CreateTruncating(a[i]) * double.CreateTruncating(b[i]);
        }

        return sum;
    }

    /// <summary>target ← step·⌊(a·target + b·source)/step⌉.</summary>
    public static void CombineOnGrid<T>(Span<T> target, double a, ReadOnlySpan<T> source, double b, double step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (ta, tb) = (T.CreateTruncating(a / step), T.CreateTruncating(b / step));
        var ts = T.CreateTruncating(step);
        var targets = MemoryMarshal.Cast<T, Vector<T>>(target);
        var sources = MemoryMarshal.Cast<T, Vector<T>>(source);
        var done = 0;
        if (typeof(T) == typeof(float))
        {
            for (var i = 0; i < targets.Length; i++)
            {
                var x = ((targets[i] * ta) + (sources[i] * tb)).As<T, float>();
                targets[i] = Vector.Round(x).As<float, T>() * ts;
            }

            done = targets.Length * Vector<T>.Count;
        }

        for (var i = done; i < target.Length; i++)
        {
            target[i] = T.Round((target[i] * ta) + (source[i] * tb)) * ts;
        }
    }

    /// <summary>target ← target + factor·source.</summary>
    public static void AddScaled<T>(Span<T> target, ReadOnlySpan<T> source, double factor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var f = T.CreateTruncating(factor);
        var targets = MemoryMarshal.Cast<T, Vector<T>>(target);
        var sources = MemoryMarshal.Cast<T, Vector<T>>(source);
        for (var i = 0; i < targets.Length; i++)
        {
            targets[i] += sources[i] * f;
        }

        for (var i = targets.Length * Vector<T>.Count; i < target.Length; i++)
        {
            target[i] += source[i] * f;
        }
    }

    /// <summary>target ← factor·target.</summary>
    public static void Scale<T>(Span<T> target, double factor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var f = T.CreateTruncating(factor);
        foreach (ref var x in MemoryMarshal.Cast<T, Vector<T>>(target))
        {
            x *= f;
        }

        for (var i = target.Length / Vector<T>.Count * Vector<T>.Count; i < target.Length; i++)
        {
            target[i] *= f;
        }
    }
}
