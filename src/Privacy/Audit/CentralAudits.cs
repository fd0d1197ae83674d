using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Central;
using Federated.Privacy.Central.Counters;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;

namespace Federated.Privacy.Audit;

/// <summary>Audits of the mechanisms that a server or a shuffler's analyser publishes from.</summary>
internal static class CentralAudits
{
    private const double Delta = 1e-5;

    /// <summary>Of the one-run audits: 2mδ enters their bound, so that a larger one would hide even the absence of noise.</summary>
    private const double CanaryDelta = 1e-6;
    private const double NoNoise = 1e-3;

    public delegate AuditFinding Audit(AuditOptions options, double confidence, IRandomSource random);

    public static IEnumerable<(string Name, Audit Run)> All =>
    [
        ("central.dp-fedavg", FedAvg),
        ("central.dp-ftrl.tree-honaker", (o, c, r) => Ftrl(FactorizationNames.TreeHonaker, o, c, r)),
        ("central.dp-ftrl.sqrt-toeplitz", (o, c, r) => Ftrl(FactorizationNames.SquareRoot, o, c, r)),
        ("central.dp-ftrl.banded", (o, c, r) => Ftrl(FactorizationNames.OptimizedBanded, o, c, r)),
        ("central.dp-ftrl.blt", (o, c, r) => Ftrl(FactorizationNames.BufferedLinear, o, c, r)),
        ("central.counter.tree", Counter),
        ("shuffle.scalar-sum", ShuffledScalar),
        ("sampler.discrete-laplace", DiscreteLaplaceShift),
        ("sampler.discrete-gaussian", DiscreteGaussianShift),
    ];

    private static AuditFinding FedAvg(AuditOptions options, double confidence, IRandomSource random)
    {
        const double multiplier = 4;
        return CanaryAudit.Run(
            "central.dp-fedavg", AnalyticGaussian.Epsilon(multiplier, CanaryDelta), CanaryDelta, options.Canaries, Guesses(options), confidence, random,
            (included, scores) =>
            {
                // Each canary is a client whose update is its own coordinate at full norm.
                var mechanism = new DpFedAvg<double>(
                    new DpFedAvgOptions { ClipNorm = 1, NoiseMultiplier = options.RemoveNoise ? NoNoise : multiplier, ExpectedCohort = 100 }, random);
                for (var i = 0; i < scores.Length; i++)
                {
                    scores[i] = included[i] ? 1 : 0;
                }

                mechanism.Release(scores);
            });
    }

    private static AuditFinding Ftrl(string factorization, AuditOptions options, double confidence, IRandomSource random)
    {
        const int steps = 8;
        const double multiplier = 4;
        return CanaryAudit.Run(
            $"central.dp-ftrl.{factorization}", AnalyticGaussian.Epsilon(multiplier, CanaryDelta), CanaryDelta, options.Canaries, Guesses(options), confidence, random,
            (included, scores) =>
            {
                var mechanism = new DpFtrl<double>(
                    new DpFtrlOptions
                    {
                        ClipNorm = 1, NoiseMultiplier = options.RemoveNoise ? NoNoise : multiplier, ExpectedCohort = 1, Steps = steps,
                        Factorization = factorization, Buffers = 3, Bands = 4,
                    },
                    scores.Length, random);
                var releases = new double[steps][];
                for (var t = 0; t < steps; t++)
                {
                    var sum = new double[scores.Length];
                    for (var i = 0; i < sum.Length; i++)
                    {
                        sum[i] = t == 0 && included[i] ? 1 : 0;
                    }

                    mechanism.Release(sum);
                    releases[t] = sum;
                }

                // The attacker knows that canaries were due in the first step, and takes the prefix whose noise is least.
                releases[0].CopyTo(scores);
            });
    }

    private static AuditFinding Counter(AuditOptions options, double confidence, IRandomSource random)
    {
        const int steps = 4;
        double Statistic(int first)
        {
            var counter = TreeCounter.Pure(options.RemoveNoise ? 1000 : options.Epsilon, steps, 1, 1, random);
            var total = (double)counter.Add(first);
            for (var t = 1; t < steps; t++)
            {
                total += counter.Add(0);
            }

            return total;
        }

        return DistinguishingAudit.Run(
            "central.counter.tree", options.Epsilon, 0, options.Samples, confidence, () => Statistic(1), () => Statistic(0));
    }

    private static AuditFinding ShuffledScalar(AuditOptions options, double confidence, IRandomSource random)
    {
        const int levels = 4, clients = 10;
        var protocol = options.RemoveNoise
            ? new ScalarSum(levels, 1, clients)
            : ScalarSum.ForGuarantee(levels, clients, options.Epsilon, Delta);
        double Statistic(double value)
        {
            long ones = protocol.Randomize(value, random);
            for (var i = 1; i < clients; i++)
            {
                ones += protocol.Randomize(0.5, random);
            }

            return ones;
        }

        var claim = ShuffledSum.Epsilon((long)clients * ScalarSum.ForGuarantee(levels, clients, options.Epsilon, Delta).NoiseBitsPerClient, 0.5, levels, Delta);
        return DistinguishingAudit.Run(
            "shuffle.scalar-sum", claim, Delta, options.Samples, confidence, () => Statistic(1), () => Statistic(0));
    }

    private static AuditFinding DiscreteLaplaceShift(AuditOptions options, double confidence, IRandomSource random)
    {
        var law = DiscreteLaplace.ForEpsilon(options.RemoveNoise ? 1000 : options.Epsilon, 10);
        return DistinguishingAudit.Run(
            "sampler.discrete-laplace", options.Epsilon, 0, options.Samples, confidence, () => 10 + law.Next(random), () => law.Next(random));
    }

    private static AuditFinding DiscreteGaussianShift(AuditOptions options, double confidence, IRandomSource random)
    {
        const double sigma = 100;
        var law = DiscreteGaussian.FromSigma(options.RemoveNoise ? 0.1 : sigma);
        return DistinguishingAudit.Run(
            "sampler.discrete-gaussian", AnalyticGaussian.Epsilon(1, Delta) * (1 + 1e-9), Delta, options.Samples, confidence,
            () => sigma + law.Next(random), () => law.Next(random));
    }

    private static int Guesses(AuditOptions options) => Math.Max(2, options.Canaries / 4);
}
