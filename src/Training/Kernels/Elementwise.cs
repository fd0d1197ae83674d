using System.Numerics;

namespace Federated.Training.Kernels;

/// <summary>Element-by-element passes; bound by memory, so that the default vector width serves as well as the widest.</summary>
internal static unsafe class Elementwise
{
    /// <summary>x ← max(x, 0); NaN stays NaN, so that divergence is seen.</summary>
    public static void Rectify<T>(T* x, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            var v = Vector.Load(x + i);
            Vector.Store(Vector.AndNot(v, Vector.LessThan(v, Vector<T>.Zero)), x + i);
        }

        for (; i < count; i++)
        {
            x[i] = x[i] < T.Zero ? T.Zero : x[i];
        }
    }

    /// <summary>gradient ← gradient where the rectified activation is positive, 0 elsewhere (the derivative at 0 is 0, as in PyTorch).</summary>
    public static void RectifyGradient<T>(T* gradient, T* activation, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            var positive = Vector.GreaterThan(Vector.Load(activation + i), Vector<T>.Zero);
            Vector.Store(Vector.BitwiseAnd(Vector.Load(gradient + i), positive), gradient + i);
        }

        for (; i < count; i++)
        {
            gradient[i] = activation[i] > T.Zero ? gradient[i] : T.Zero;
        }
    }

    /// <summary>target[c] ← keep·target[c] + scale·Σ_r x[r, c].</summary>
    public static void SumRows<T>(T* x, int rows, int columns, nint stride, T* target, T keep, T scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var c = 0;
        for (; c <= columns - Vector<T>.Count; c += Vector<T>.Count)
        {
            var sum = Vector<T>.Zero;
            for (var r = 0; r < rows; r++)
            {
                sum += Vector.Load(x + (r * stride) + c);
            }

            var old = keep == T.Zero ? Vector<T>.Zero : Vector.Load(target + c) * keep;
            Vector.Store(old + (sum * scale), target + c);
        }

        for (; c < columns; c++)
        {
            var sum = T.Zero;
            for (var r = 0; r < rows; r++)
            {
                sum += x[(r * stride) + c];
            }

            target[c] = (keep == T.Zero ? T.Zero : target[c] * keep) + (sum * scale);
        }
    }

    /// <summary>y ← y + a·x.</summary>
    public static void AddScaled<T>(T* y, T a, T* x, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var i = 0;
        var factor = new Vector<T>(a);
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            Vector.Store(Vector.Load(y + i) + (factor * Vector.Load(x + i)), y + i);
        }

        for (; i < count; i++)
        {
            y[i] += a * x[i];
        }
    }

    /// <summary>y ← a·y + b·x.</summary>
    public static void Blend<T>(T* y, T a, T* x, T b, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var i = 0;
        Vector<T> keep = new(a), factor = new(b);
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            Vector.Store((Vector.Load(y + i) * keep) + (factor * Vector.Load(x + i)), y + i);
        }

        for (; i < count; i++)
        {
            y[i] = (a * y[i]) + (b * x[i]);
        }
    }
}
