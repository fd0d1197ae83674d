using System.Globalization;
using Federated.Aggregation.ServerOptimizers;

namespace Federated.Benchmarks.Aggregation;

/// <summary>One step of each server optimizer over 11.2 million float parameters, on one thread, against the time to read as many bytes.</summary>
[WholeProcess("optimizers", "[parameters] [passes]: server optimizer steps against the machine's read bandwidth, on 1 thread", "parameters:count", "passes:count")]
internal static class OptimizerSpeed
{
    public static int Run(string[] args)
    {
        var dimension = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 11_200_000;
        var passes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 15;
        var vectors = Memory.Vectors(4, dimension);
        var perByte = Memory.ReadSeconds(vectors, 1, passes) / (4.0 * dimension * sizeof(float));
        ServerOptimizerOptions[] all =
        [
            new SgdOptions(), new MomentumOptions(), new NesterovOptions(), new DelayedNesterovOptions { Window = 8 }, new AdagradOptions(),
            new YogiOptions(), new AdamOptions(),
        ];
        foreach (var options in all)
        {
            var optimizer = ServerOptimizers.Create<float>(options, dimension);
            optimizer.Step(vectors[0], vectors[1]);
            var seconds = Memory.Best(passes, () => optimizer.Step(vectors[0], vectors[1]));

            // Model and state are read and written, the pseudo-gradient read.
            var bytes = sizeof(float) * (3.0 + (2 * optimizer.State.Values.Count(v => v.Length == dimension))) * dimension;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{optimizer.Name,-18} {seconds * 1e3,7:F1} ms  {seconds / dimension * 1e9,6:F2} ns/parameter  {bytes / seconds / 1e9,6:F1} GB/s moved  {bytes * perByte / seconds,7:P0} of reading"));
        }

        return 0;
    }
}
