using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Aggregation.Randomness;

namespace Federated.Benchmarks.Aggregation;

/// <summary>What aggregation is measured against: how fast this machine reads memory, in the same process and on the same arrays.</summary>
internal static class Memory
{
    /// <summary>Best wall-clock seconds of several passes; the machine may be shared.</summary>
    public static double Best(int passes, Action action)
    {
        var best = double.MaxValue;
        for (var pass = 0; pass < passes; pass++)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    /// <summary>Seconds to read all vectors once, as a sum in the widest registers, each thread a stretch of each vector.</summary>
    public static double ReadSeconds(float[][] vectors, int threads, int passes)
    {
        const int stretches = 64;
        var totals = new float[stretches * 16];
        return Best(passes, () => Parallel.For(0, stretches, new ParallelOptions { MaxDegreeOfParallelism = threads }, stretch =>
        {
            var length = vectors[0].Length / stretches;
            var total = 0f;
            foreach (var vector in vectors)
            {
                total += Sum(vector.AsSpan(stretch * length, length));
            }

            totals[stretch * 16] = total;
        }));
    }

    public static float[][] Vectors(int count, int dimension) =>
        [.. Enumerable.Range(0, count).Select(i =>
        {
            // A sixteenth is drawn, the rest repeats it: drawing a billion normals would take longer than all measurements.
            var random = SeededRandom.Derive(1, "benchmark", i);
            var vector = GC.AllocateUninitializedArray<float>(dimension);
            var drawn = (dimension + 15) / 16;
            for (var j = 0; j < drawn; j++)
            {
                vector[j] = (float)(random.NextNormal() * 0.01);
            }

            for (var start = drawn; start < dimension; start += drawn)
            {
                vector.AsSpan(0, Math.Min(drawn, dimension - start)).CopyTo(vector.AsSpan(start));
            }

            return vector;
        })];

    private static float Sum(ReadOnlySpan<float> values)
    {
        ref var first = ref MemoryMarshal.GetReference(values);
        var (a, b, c, d) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        for (nuint i = 0; i + 64 <= (nuint)values.Length; i += 64)
        {
            a += Vector512.LoadUnsafe(ref first, i);
            b += Vector512.LoadUnsafe(ref first, i + 16);
            c += Vector512.LoadUnsafe(ref first, i + 32);
            d += Vector512.LoadUnsafe(ref first, i + 48);
        }

        return Vector512.Sum(a + b + c + d);
    }
}
