using System.Globalization;
using System.Runtime.InteropServices;
using Federated.Benchmarks.Aggregation;
using Federated.Privacy.Central;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Benchmarks.Privacy;

/// <summary>
/// What privacy costs in time: clipping and cryptographic noise on a model, one report of each randomiser, draws of each exact sampler. Best of
/// several passes, beside copying the same bytes and filling them with AES-256-CTR in the same process. Targets: clip and Gaussian noise of
/// 11.2 M parameters at 1 GB/s or more on two threads, PrivUnitG of 1 M dimensions under 50 ms.
/// </summary>
[WholeProcess("mechanisms", "[parameters] [passes]: clipping, cryptographic noise, randomisers and exact samplers, with the two targets checked", "parameters:count", "passes:count")]
internal static class Mechanisms
{
    public static int Run(string[] args)
    {
        var dimension = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 11_200_000;
        var passes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 9;
        using var random = new CryptographicRandom();
        var model = new float[dimension];
        var copy = new float[dimension];
        GaussianSampler.Fill(model.AsSpan(), 1, random);
        double size = dimension * (double)sizeof(float);
        var missed = 0;
        Throughput("memory copy, 1 thread", size, Best(passes, () => model.CopyTo(copy, 0)));
        Throughput("AES-256-CTR over the same bytes, 1 thread", size, Best(passes, () => random.Fill(MemoryMarshal.AsBytes(copy.AsSpan()))));
        var gaussian = new LocalGaussian<float>(1, 1e-5, 1);
        foreach (var threads in new[] { 1, 2 })
        {
            Throughput(
                $"clip + Gaussian noise, {threads} threads", size, Best(passes, () => gaussian.Randomize(model, random, threads)), threads == 2 ? 1 : 0);
            var grid = new GridClip(1, GridClip.StepFor(1));
            Throughput($"clip to the grid, {threads} threads", size, Best(passes, () => grid.Apply(model.AsSpan(), threads)));
            Throughput($"Gaussian noise on the grid, {threads} threads", size, Best(passes, () => GaussianSampler.AddOnGrid(model.AsSpan(), GridClip.StepFor(1), 1, random, threads)));
            Throughput($"both on the grid, {threads} threads", size, Best(passes, () =>
            {
                grid.Apply(model.AsSpan(), threads);
                GaussianSampler.AddOnGrid(model.AsSpan(), GridClip.StepFor(1), 1, random, threads);
            }));
        }

        foreach (var name in new[] { FactorizationNames.TreeHonaker, FactorizationNames.BufferedLinear, FactorizationNames.OptimizedBanded })
        {
            var options = new DpFtrlOptions { NoiseMultiplier = 1, ExpectedCohort = 100, Steps = 1000, Factorization = name, MinSeparation = 8, MaxParticipations = 125 };
            var mechanism = new DpFtrl<float>(options, 1_000_000, random);
            var sum = new float[1_000_000];
            Time($"DP-FTRL step, {name}, 1 M parameters", Best(passes, () => mechanism.Release(sum)));
        }

        var unit = new float[1_000_000];
        unit[0] = 1;
        var report = new float[unit.Length];
        foreach (var name in UnitVectorRandomizers.All)
        {
            var randomizer = UnitVectorRandomizers.Create<float>(name, 4, unit.Length);
            Time(
                $"{name}, 1 M dimensions, ε = 4", Best(passes, () => randomizer.Randomize(unit, report, random)),
                name == UnitVectorRandomizers.PrivUnitG ? 50e-3 : 0);
        }

        foreach (var name in FrequencyOracles.All)
        {
            var oracle = FrequencyOracles.Create(name, 1, 1024);
            var message = new byte[oracle.ReportBytes];
            Time($"{name}, report of 1 of 1024 items", Best(passes, () => Repeat(1000, () => oracle.Randomize(7, message, random))) / 1000);
        }

        var wide = DiscreteGaussian.FromSigma(1 << 16);
        var laplace = new DiscreteLaplace(1, 1000);
        Time("discrete Gaussian, σ = 2^16, one draw", Best(passes, () => Repeat(100_000, () => wide.Next(random))) / 100_000);
        Time("discrete Laplace, scale 1000, one draw", Best(passes, () => Repeat(100_000, () => laplace.Next(random))) / 100_000);
        return missed == 0 ? 0 : 1;

        void Throughput(string name, double bytes, double seconds, double target = 0)
        {
            var rate = bytes / seconds / 1e9;
            missed += rate < target ? 1 : 0;
            var verdict = target == 0 ? "" : rate >= target ? $"  meets {target} GB/s" : $"  MISSED {target} GB/s";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-44} {seconds * 1e3,10:F2} ms  {rate,6:F2} GB/s{verdict}"));
        }

        void Time(string name, double seconds, double limit = 0)
        {
            missed += limit > 0 && seconds > limit ? 1 : 0;
            var verdict = limit == 0 ? "" : seconds <= limit ? $"  within {limit * 1e3} ms" : $"  MISSED {limit * 1e3} ms";
            var (value, unit) = seconds < 1e-4 ? (seconds * 1e9, "ns") : (seconds * 1e3, "ms");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-44} {value,10:F2} {unit}{verdict}"));
        }
    }

    private static double Best(int passes, Action work)
    {
        for (var i = 0; i < 3; i++)
        {
            work(); // compiled to the last tier, pages touched
        }

        return Memory.Best(passes, work);
    }

    private static void Repeat(int count, Action work)
    {
        for (var i = 0; i < count; i++)
        {
            work();
        }
    }
}
