using Federated.Privacy.Amplification;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Amplification;

/// <content>Bounds against what really is spent.</content>
public static partial class ShuffleAmplificationTests
{
    public sealed class Truth
    {
        /// <summary>
        /// n reports of binary randomised response reveal only how many are 1. The exact trade-off of that count, over every value of the
        /// other users, lies below the bound.
        /// </summary>
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(4)]
        [InlineData(6)]
        public void Enumerated_randomised_response_lies_below_the_bound(int n)
        {
            foreach (var epsilon0 in (double[])[0.5, 1, 3])
            {
                foreach (var part in (double[])[0, 0.1, 0.4, 0.8])
                {
                    var epsilon = part * epsilon0;
                    var generic = ShuffleAmplification.Delta(ShuffleBound.Fmt23, LocalRandomizer.Generic(epsilon0), n, epsilon);
                    var binary = ShuffleAmplification.Delta(ShuffleBound.Fmt23, LocalRandomizer.RandomizedResponse(epsilon0, 2), n, epsilon);
                    var older = ShuffleAmplification.Delta(ShuffleBound.Fmt21, LocalRandomizer.Generic(epsilon0), n, epsilon);
                    for (var ones = 0; ones < n; ones++)
                    {
                        var exact = Exact(epsilon0, n, ones, epsilon);
                        Assert.True(exact <= generic + 1e-13, $"n={n} ε₀={epsilon0} ε={epsilon}: exact {exact}, bound {generic}");
                        Assert.True(exact <= binary + 1e-13, $"n={n} ε₀={epsilon0} ε={epsilon}: exact {exact}, binary bound {binary}");
                        Assert.True(generic <= older + 1e-13);
                    }
                }
            }
        }

        /// <summary>Three categories, everybody's report seen as a histogram.</summary>
        [Fact]
        public void Enumerated_ternary_response_lies_below_its_bound()
        {
            const int n = 4;
            const double epsilon0 = 1.5;
            var kept = Math.Exp(epsilon0) / (Math.Exp(epsilon0) + 2);
            var bound = ShuffleAmplification.Delta(ShuffleBound.Fmt23, LocalRandomizer.RandomizedResponse(epsilon0, 3), n, 0.3);
            for (var others = 0; others < 27; others++)
            {
                int[] inputs = [0, others % 3, others / 3 % 3, others / 9];
                var p = Histogram(inputs, kept);
                inputs[0] = 1;
                var q = Histogram(inputs, kept);
                var exact = p.Sum(pair => Math.Max(0, pair.Value - Math.Exp(0.3) * q[pair.Key]));
                Assert.True(exact <= bound + 1e-13, $"exact {exact}, bound {bound}");
            }
        }

        /// <summary>In the generic pair the exact sum over all outcomes is the bound itself.</summary>
        [Fact]
        public void Recurrences_equal_the_direct_sum()
        {
            foreach (var (epsilon0, n) in ((double, int)[])[(0.3, 50), (1.0, 400), (5.0, 300)])
            {
                foreach (var randomizer in (LocalRandomizer[])[LocalRandomizer.Generic(epsilon0), LocalRandomizer.RandomizedResponse(epsilon0, 5)])
                {
                    foreach (var epsilon in (double[])[0, 0.01, 0.1, 0.25 * epsilon0])
                    {
                        var direct = Direct(randomizer, n, epsilon);
                        Near.Absolute(direct, ShuffleAmplification.Delta(ShuffleBound.Fmt23, randomizer, n, epsilon), 1e-12 + 1e-9 * direct);
                    }
                }
            }
        }

        private static double Direct(LocalRandomizer randomizer, int n, double epsilon)
        {
            var p = Math.Exp(randomizer.Epsilon);
            var alpha = randomizer.TotalVariation / (p - 1);
            var neither = Math.Max(0, 1 - alpha - p * alpha);
            double Clones(int c) => Privacy.Numerics.BinomialDistribution.Pmf(c, n - 1, 2 * alpha);
            double Half(int a, int m) => m < 0 ? 0 : Privacy.Numerics.BinomialDistribution.Pmf(a, m, 0.5);
            var sum = 0.0;
            for (var t = 0; t <= n; t++)
            {
                for (var a = 0; a <= t; a++)
                {
                    var silent = Clones(t) * neither * Half(a, t);
                    var before = t == 0 ? 0 : Clones(t - 1);
                    var more = before * alpha * (p * Half(a - 1, t - 1) + Half(a, t - 1)) + silent;
                    var less = before * alpha * (Half(a - 1, t - 1) + p * Half(a, t - 1)) + silent;
                    sum += Math.Max(0, more - Math.Exp(epsilon) * less);
                }
            }

            return sum;
        }

        private static double Exact(double epsilon0, int n, int ones, double epsilon)
        {
            var kept = Math.Exp(epsilon0) / (1 + Math.Exp(epsilon0));
            double[] others = [1];
            for (var i = 0; i < n - 1; i++)
            {
                others = Add(others, i < ones ? kept : 1 - kept);
            }

            var (p, q) = (Add(others, kept), Add(others, 1 - kept));
            return Math.Max(
                p.Zip(q, (a, b) => Math.Max(0, a - Math.Exp(epsilon) * b)).Sum(),
                q.Zip(p, (a, b) => Math.Max(0, a - Math.Exp(epsilon) * b)).Sum());
        }

        private static double[] Add(double[] counts, double one)
        {
            var next = new double[counts.Length + 1];
            for (var i = 0; i < counts.Length; i++)
            {
                next[i] += counts[i] * (1 - one);
                next[i + 1] += counts[i] * one;
            }

            return next;
        }

        private static Dictionary<(int, int), double> Histogram(int[] inputs, double kept)
        {
            var table = new Dictionary<(int, int), double> { [(0, 0)] = 1 };
            foreach (var input in inputs)
            {
                var next = new Dictionary<(int, int), double>();
                foreach (var ((a, b), weight) in table)
                {
                    for (var output = 0; output < 3; output++)
                    {
                        var key = (a + (output == 0 ? 1 : 0), b + (output == 1 ? 1 : 0));
                        next[key] = next.GetValueOrDefault(key) + weight * (output == input ? kept : (1 - kept) / 2);
                    }
                }

                table = next;
            }

            return table;
        }
    }
}
