using System.Diagnostics;
using System.Globalization;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;

namespace Federated.Benchmarks.Privacy;

/// <summary>
/// Accountants and shuffle bounds, one thread, best and median of several runs after warming up. Targets: PLD ε of (σ = 1, q = 0.01,
/// T = 1000) under 100 ms, the exact shuffle bound at n = 10⁶ under 50 ms.
/// </summary>
[WholeProcess("accounting", "[runs]: accountants and shuffle bounds, with the two targets checked", "runs:count")]
internal static class AccountingSpeed
{
    public static int Run(string[] args)
    {
        var runs = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 15;
        var sampled = new PoissonSampledEvent(0.01, new GaussianEvent(NeighbourRelation.AddRemoveClient, 1));
        var mnist = new PoissonSampledEvent(256.0 / 60000, new GaussianEvent(NeighbourRelation.AddRemoveClient, 1.1));
        var fixedSize = new FixedSizeSampledEvent(10_000, 100, new GaussianEvent(NeighbourRelation.ReplaceOneClient, 1));
        var (pld, rdp) = (new PldAccountant(), new RdpAccountant());
        var fine = new PldAccountant(new PldAccountantOptions { DiscretizationInterval = 1e-5 });
        var missed = 0;
        Case("pld (1, 0.01, 1000)", 100, () => pld.Epsilon(sampled.Repeated(1000), 1e-5));
        Case("pld (1, 0.01, 1000), h = 1e-5", 0, () => fine.Epsilon(sampled.Repeated(1000), 1e-5));
        Case("pld (1.1, 256/60000, 14063)", 0, () => pld.Epsilon(mnist.Repeated(14063), 1e-5));
        Case("pld fixed size (1, 100/10000, 1000)", 0, () => pld.Epsilon(fixedSize.Repeated(1000), 1e-6));
        Case("rdp (1, 0.01, 1000)", 0, () => rdp.Epsilon(sampled.Repeated(1000), 1e-5));
        Case("shuffle bound, n = 1e6, eps0 = 1", 50, () => Shuffle(1, 1_000_000));
        Case("shuffle bound, n = 1e6, eps0 = 4", 50, () => Shuffle(4, 1_000_000));
        Case("shuffle bound, n = 1e8, eps0 = 1", 0, () => Shuffle(1, 100_000_000));
        Case("shuffle x 100 rounds, n = 1e4, eps0 = 4", 0, () => pld.Epsilon(
            new ShuffledEvent(PrivacyUnit.ClientParticipation, LocalRandomizer.Generic(4), 10_000).Repeated(100), 1e-6));
        Case("shuffled sum, 100 levels, eps = 1", 0, () => ShuffledSum.Trials(100, 1, 1e-6));
        Case("noise for (eps 1, q 0.01, T 1000) by pld", 0, () => Calibration.NoiseMultiplier(
            pld, sigma => new PoissonSampledEvent(0.01, new GaussianEvent(NeighbourRelation.AddRemoveClient, sigma)).Repeated(1000), 1, 1e-5));
        return missed == 0 ? 0 : 1;

        void Case(string name, double target, Func<double> work)
        {
            var value = work();
            var times = new double[runs];
            for (var i = -2; i < runs; i++)
            {
                var start = Stopwatch.GetTimestamp();
                value = work();
                if (i >= 0)
                {
                    times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                }
            }

            Array.Sort(times);
            var verdict = target == 0 ? "" : times[runs / 2] < target ? $"  within {target} ms" : $"  MISSED {target} ms";
            missed += verdict.Contains("MISSED", StringComparison.Ordinal) ? 1 : 0;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{name,-42} {times[0],8:F2} ms best {times[runs / 2],8:F2} ms median   = {value:G10}{verdict}"));
        }
    }

    private static double Shuffle(double epsilon0, long n) =>
        ShuffleAmplification.Epsilon(ShuffleBound.Fmt23, LocalRandomizer.Generic(epsilon0), n, 1e-8);
}
