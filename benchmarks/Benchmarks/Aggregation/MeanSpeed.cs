using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Aggregation;
using Federated.Aggregation.Averaging;

namespace Federated.Benchmarks.Aggregation;

/// <summary>
/// The weighted mean of 20 updates of 11.2 million float parameters (a ResNet-18), against the time to merely read them. Every row's
/// result has the same bits.
/// </summary>
[WholeProcess("mean", "[updates] [parameters] [passes]: weighted mean against the machine's read bandwidth, on 1 thread and on all", "updates:count", "parameters:count", "passes:count")]
internal static class MeanSpeed
{
    public static int Run(string[] args)
    {
        var count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 20;
        var dimension = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 11_200_000;
        var passes = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 9;
        var vectors = Memory.Vectors(count, dimension);
        var deltas = vectors.Select(v => (ReadOnlyMemory<float>)v).ToArray();
        var weights = Enumerable.Range(0, count).Select(i => 100.0 + i).ToArray();
        var mean = new WeightedMean<float>(dimension);
        var (held, streamed) = (new float[dimension], new float[dimension]);
        var bytes = (double)count * dimension * sizeof(float);
        foreach (var threads in new[] { 1, Environment.ProcessorCount }.Distinct())
        {
            mean.CombineMany(deltas, weights, held, threads);
            var read = Memory.ReadSeconds(vectors, threads, passes);
            var combine = Memory.Best(passes, () => mean.CombineMany(deltas, weights, held, threads));

            // Read again: on a shared machine the two must have met the same conditions.
            read = Math.Min(read, Memory.ReadSeconds(vectors, threads, passes));
            Row($"read only, {threads} threads", bytes, read, read);
            Row($"CombineMany, {threads} threads", bytes, combine, read);
        }

        var alone = Memory.ReadSeconds(vectors, 1, passes);
        Row("Add one by one, 1 thread", bytes, Memory.Best(Math.Max(2, passes / 3), () =>
        {
            for (var i = 0; i < count; i++)
            {
                mean.Add(new Contribution<float>(i, vectors[i], weights[i]));
            }

            mean.Combine(streamed);
        }), alone);
        Row("finite check, 1 thread", bytes, Memory.Best(passes, () =>
        {
            foreach (var vector in vectors)
            {
                _ = Finite.All<float>(vector);
            }
        }), alone);
        var isSame = held.AsSpan().SequenceEqual(streamed);
        var hash = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(held.AsSpan())))[..16];
        Console.WriteLine(isSame ? $"same bits: {hash}, on any machine" : "THE BITS DIFFER");
        return isSame ? 0 : 1;
    }

    private static void Row(string name, double bytes, double seconds, double read) =>
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{name,-28} {seconds * 1e3,8:F1} ms  {bytes / seconds / 1e9,6:F1} GB/s  {read / seconds,7:P1} of reading"));
}
