using System.Numerics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>Work on a stretch of coordinates.</summary>
/// <param name="start">First coordinate.</param>
/// <param name="result">The result's coordinates from <paramref name="start"/>; its length is the stretch's.</param>
internal delegate void CoordinateWork<T>(int start, Span<T> result);

/// <summary>
/// Shares coordinates out to workers in stretches whose bounds depend on d only, so that what is computed per stretch does not depend
/// on how many workers there are.
/// </summary>
internal static unsafe class CoordinateBlocks
{
    /// <summary>Coordinates per stretch: long enough to bury the hand-out, short enough that two workers finish together.</summary>
    public const int Stretch = 16384;

    /// <summary>Runs <paramref name="work"/> once for every stretch of <paramref name="result"/>.</summary>
    public static void Run<T>(Span<T> result, int threads, CoordinateWork<T> work)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var length = result.Length;
        fixed (T* pinned = result)
        {
            var address = (nint)pinned;
            ForEach(Count(length), threads, index =>
            {
                var start = index * Stretch;
                work(start, new Span<T>((T*)address + start, Math.Min(Stretch, length - start)));
            });
        }
    }

    /// <summary>Number of stretches in <paramref name="dimension"/> coordinates.</summary>
    public static int Count(int dimension) => (int)(((long)dimension + Stretch - 1) / Stretch);

    /// <summary>Runs <paramref name="body"/> for 0 … count − 1 on at most <paramref name="threads"/> workers.</summary>
    public static void ForEach(int count, int threads, Action<int> body)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        if (count <= 1 || threads == 1)
        {
            for (var i = 0; i < count; i++)
            {
                body(i);
            }

            return;
        }

        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
    }
}
