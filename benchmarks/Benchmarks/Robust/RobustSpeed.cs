using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust;
using static System.FormattableString;

namespace Federated.Benchmarks.Robust;

/// <summary>
/// Robust rules against NumPy on the same updates, measured in turns so that a shared machine disturbs both alike, and compared value by
/// value. CPU seconds are over all threads, and hardly depend on what else the machine does; wall-clock seconds are the best seen.
/// </summary>
[WholeProcess(
    "robust", "[updates] [parameters] [turns] [passes]: robust rules against NumPy (needs /usr/bin/python3 with numpy, or PYTHON)",
    "updates:count", "parameters:count", "turns:count", "passes:count")]
internal static class RobustSpeed
{
    private const int Byzantine = 4;
    private const double Beta = 0.1;

    public static int Run(string[] args)
    {
        var count = Argument(args, 0, 20);
        var dimension = Argument(args, 1, 1_000_000);
        var turns = Argument(args, 2, 3);
        var passes = Argument(args, 3, 7);
        var vectors = Updates(count, dimension);
        var folder = Directory.CreateTempSubdirectory("robust-speed").FullName;
        try
        {
            var file = Path.Combine(folder, "updates.f32");
            using (var stream = File.Create(file))
            {
                foreach (var vector in vectors)
                {
                    stream.Write(MemoryMarshal.AsBytes(vector.AsSpan()));
                }
            }

            var ours = new Dictionary<string, Timing>();
            var theirs = new Dictionary<string, Timing>();
            var results = new Dictionary<string, float[]>();
            for (var turn = 0; turn < turns; turn++)
            {
                Ours(vectors, passes, ours, results);
                if (!NumPy(file, count, dimension, Math.Max(1, passes / 3), folder, theirs))
                {
                    break;
                }
            }

            return Report(count, dimension, ours, theirs, results, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Ours(float[][] vectors, int passes, Dictionary<string, Timing> timings, Dictionary<string, float[]> results)
    {
        RobustRuleOptions[] rules =
        [
            new MedianOptions(), new TrimmedMeanOptions { Beta = Beta }, new KrumOptions { Byzantine = Byzantine },
            new MultiKrumOptions { Byzantine = Byzantine }, new BulyanOptions { Byzantine = Byzantine }, new GeometricMedianOptions(),
            new CenteredClippingOptions { Radius = 100, Steps = 3 }, new NormBoundingOptions(),
            new NearestNeighbourMixingOptions { Byzantine = Byzantine }, new NearestNeighbourAveragingOptions { Byzantine = Byzantine },
        ];
        foreach (var rule in rules.Select(options => RobustRules.Create<float>(options, vectors[0].Length)))
        {
            foreach (var threads in new[] { 1, Environment.ProcessorCount }.Distinct())
            {
                var held = new HeldUpdates<float>([.. vectors.Select(v => (ReadOnlyMemory<float>)v)]) { Threads = threads };
                var result = new float[held.Dimension];
                var name = threads == 1 ? rule.Name + " (1 thread)" : rule.Name;
                for (var pass = 0; pass < passes; pass++)
                {
                    var (wall, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                    rule.Combine(held, result);
                    Keep(timings, name, Stopwatch.GetElapsedTime(wall).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
                }

                results[rule.Name] = result;
            }
        }
    }

    private static bool NumPy(string file, int count, int dimension, int passes, string folder, Dictionary<string, Timing> timings)
    {
        var python = Environment.GetEnvironmentVariable("PYTHON") ?? "/usr/bin/python3";
        if (Script() is not { } script || !File.Exists(python))
        {
            Console.WriteLine($"No NumPy rows: {python} or benchmarks/Benchmarks/Robust/numpy_reference.py was not found.");
            return false;
        }

        using var process = Process.Start(new ProcessStartInfo(
            python, [script, file, Text(count), Text(dimension), Text((int)(Beta * count)), Text(Byzantine), Text(passes), folder]) { RedirectStandardOutput = true })!;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            var parts = line.Split(' ');
            Keep(timings, parts[0], double.Parse(parts[1], CultureInfo.InvariantCulture), double.Parse(parts[2], CultureInfo.InvariantCulture));
        }

        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static int Report(
        int count, int dimension, Dictionary<string, Timing> ours, Dictionary<string, Timing> theirs, Dictionary<string, float[]> results, string folder)
    {
        Console.WriteLine(Invariant($"{count} updates x {dimension:N0} float parameters, {Environment.ProcessorCount} processors; f = {Byzantine}, trim {Beta}"));
        foreach (var (name, timing) in ours)
        {
            Console.WriteLine(Invariant($"  {name,-40} {timing.Wall * 1e3,8:F1} ms wall {timing.Cpu * 1e3,8:F1} ms CPU"));
        }

        var agree = true;
        foreach (var (name, timing) in theirs)
        {
            var rule = name.StartsWith("trimmed", StringComparison.Ordinal) ? RobustRules.TrimmedMean : name.Split('-')[0];
            var difference = Difference(results[rule], Path.Combine(folder, name + ".f32"));
            agree &= difference <= 1e-6;
            Console.WriteLine(Invariant(
                $"  NumPy {name,-34} {timing.Wall * 1e3,8:F1} ms wall {timing.Cpu * 1e3,8:F1} ms CPU   {timing.Wall / ours[rule].Wall,6:F1} x our wall, {timing.Cpu / ours[rule].Cpu,6:F1} x our CPU; results differ by at most {difference:G2}"));
        }

        Console.WriteLine(agree ? "same results" : "THE RESULTS DIFFER");
        return agree ? 0 : 1;
    }

    private static float Difference(float[] ours, string file)
    {
        var bytes = File.ReadAllBytes(file);
        var theirs = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        var largest = 0f;
        for (var j = 0; j < ours.Length; j++)
        {
            largest = Math.Max(largest, Math.Abs(ours[j] - theirs[j]));
        }

        return largest;
    }

    private static float[][] Updates(int count, int dimension) =>
        [.. Enumerable.Range(0, count).Select(i =>
        {
            var random = SeededRandom.Derive(1, "robust-speed", i);
            var vector = new float[dimension];
            foreach (ref var value in vector.AsSpan())
            {
                value = (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5);
            }

            return vector;
        })];

    private static string? Script()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "benchmarks", "Benchmarks", "Robust", "numpy_reference.py");
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    private static void Keep(Dictionary<string, Timing> timings, string name, double wall, double cpu)
    {
        var known = timings.GetValueOrDefault(name, new Timing(double.MaxValue, double.MaxValue));
        timings[name] = new Timing(Math.Min(known.Wall, wall), Math.Min(known.Cpu, cpu));
    }

    private static int Argument(string[] args, int index, int otherwise) =>
        args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private readonly record struct Timing(double Wall, double Cpu);
}
