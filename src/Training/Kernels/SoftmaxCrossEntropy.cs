using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Federated.Training.Kernels;

/// <summary>Softmax and cross-entropy of logits, with the gradient, stable for logits of any size.</summary>
/// <remarks>
/// Notation: z logits of one example, y its label, m = max z, s = Σ exp(z − m), p = exp(z − m)/s. Loss = log s − (z_y − m); ∂loss/∂z = p − onehot(y).
/// The logarithms of several rows are taken at once, log Π s: s is in [1, classes], so that a double holds the product of many rows, and a
/// scalar logarithm per example would cost as much as the rest of a small model's step.
/// </remarks>
internal static unsafe class SoftmaxCrossEntropy
{
    /// <summary>Replaces logits by <paramref name="scale"/>·(p − onehot) and returns the sum of the losses (unscaled).</summary>
    /// <param name="logits">rows × stride, the stride a whole number of registers; the padding's content does not matter and is 0 on return.</param>
    public static double Gradient<T>(T* logits, int rows, int classes, int stride, ReadOnlySpan<int> labels, T scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated)
        {
            return Run<T, Vector512<T>, Lanes512<T>>(logits, rows, classes, stride, labels, scale, write: true);
        }

        return Vector256.IsHardwareAccelerated
            ? Run<T, Vector256<T>, Lanes256<T>>(logits, rows, classes, stride, labels, scale, write: true)
            : Run<T, Vector<T>, LanesAny<T>>(logits, rows, classes, stride, labels, scale, write: true);
    }

    /// <summary>The sum of the losses; the logits stay as they are.</summary>
    public static double Loss<T>(T* logits, int rows, int classes, int stride, ReadOnlySpan<int> labels)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated)
        {
            return Run<T, Vector512<T>, Lanes512<T>>(logits, rows, classes, stride, labels, T.One, write: false);
        }

        return Vector256.IsHardwareAccelerated
            ? Run<T, Vector256<T>, Lanes256<T>>(logits, rows, classes, stride, labels, T.One, write: false)
            : Run<T, Vector<T>, LanesAny<T>>(logits, rows, classes, stride, labels, T.One, write: false);
    }

    /// <summary>How many rows have their largest logit at the label; the first of equal ones counts, as in argmax.</summary>
    public static int CountCorrect<T>(T* logits, int rows, int classes, int stride, ReadOnlySpan<int> labels)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var correct = 0;
        for (var row = 0; row < rows; row++, logits += stride)
        {
            var best = 0;
            for (var c = 1; c < classes; c++)
            {
                best = logits[c] > logits[best] ? c : best;
            }

            // NaN compares false everywhere: a diverged model must not be counted right for class 0.
            correct += best == labels[row] && !T.IsNaN(logits[best]) ? 1 : 0;
        }

        return correct;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static double Run<T, TVector, TLanes>(T* logits, int rows, int classes, int stride, ReadOnlySpan<int> labels, T scale, bool write)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var padding = stride - classes;
        var last = stride - TLanes.Count;
        var mask = TLanes.LastLanes(padding);

        // −∞ in the padding of the last register; exp makes it 0. Whatever stood there (NaN, after a divergence) is masked away first.
        var floor = TLanes.And(mask, TLanes.Create(T.NegativeInfinity));
        var loss = 0.0;
        var product = 1.0;
        for (var row = 0; row < rows; row++, logits += stride)
        {
            var top = TLanes.Add(TLanes.AndNot(TLanes.Load(logits + last), mask), floor);
            for (var i = 0; i < last; i += TLanes.Count)
            {
                top = TLanes.Max(top, TLanes.Load(logits + i));
            }

            var max = TLanes.MaxLane(top);
            var shift = TLanes.Create(max);
            var label = labels[row];
            loss -= double.CreateTruncating(logits[label] - max);
            var sums = TLanes.Exp(TLanes.Subtract(TLanes.Add(TLanes.AndNot(TLanes.Load(logits + last), mask), floor), shift));
            if (write)
            {
                TLanes.Store(sums, logits + last);
            }

            for (var i = 0; i < last; i += TLanes.Count)
            {
                var e = TLanes.Exp(TLanes.Subtract(TLanes.Load(logits + i), shift));
                sums = TLanes.Add(sums, e);
                if (write)
                {
                    TLanes.Store(e, logits + i);
                }
            }

            var sum = TLanes.Sum(sums);
            product *= double.CreateTruncating(sum);
            if (product > 1e250)
            {
                loss += Math.Log(product);
                product = 1.0;
            }

            if (write)
            {
                var factor = TLanes.Create(scale / sum);
                for (var i = 0; i < stride; i += TLanes.Count)
                {
                    TLanes.Store(TLanes.Multiply(TLanes.Load(logits + i), factor), logits + i);
                }

                logits[label] -= scale;
            }
        }

        return loss + Math.Log(product);
    }
}
