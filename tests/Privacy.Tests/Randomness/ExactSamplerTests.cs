using System.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Tests.Randomness;

public static class ExactSamplerTests
{
    public sealed class A_coin_of_probability_exp_minus_x
    {
        [Theory]
        [InlineData(1, 1000)]
        [InlineData(1, 2)]
        [InlineData(1, 1)]
        [InlineData(5, 2)]
        public void Has_that_probability(int a, int b)
        {
            using var random = new SimulationRandom(21);
            long hits = 0;
            for (var i = 0; i < 50_000; i++)
            {
                hits += ExactBernoulli.ExpNegative(random, (UInt128)a, (UInt128)b) ? 1 : 0;
            }

            Statistics.AssertProportion(hits, 50_000, Math.Exp(-(double)a / b));
        }

        [Fact]
        public void Is_split_without_loss_when_x_is_large()
        {
            // exp(−40) ≈ 4e-18: the second factor only runs when the first succeeds, and no draw of 64 bits may decide it alone.
            var zeros = new Script(0, 0, 0, 0);
            Assert.True(ExactBernoulli.ExpNegative(zeros, 40, 1));
            Assert.Equal(3, zeros.Used);
            Assert.False(ExactBernoulli.ExpNegative(new Script(ulong.MaxValue), 40, 1));
        }

        [Theory]
        [InlineData(1, 3)]
        [InlineData(1, 1)]
        [InlineData(13, 2)]
        public void Is_decided_by_further_digits_when_the_first_64_bits_tie(int a, int b)
        {
            var digits = Digits(a, b, 256);
            var first = (ulong)(digits >> 192);
            var second = (ulong)((digits >> 128) & ulong.MaxValue);
            Assert.True(ExactBernoulli.Refine(new Script(second - 1000), first, (UInt128)a, (UInt128)b));
            Assert.False(ExactBernoulli.Refine(new Script(second + 1000), first, (UInt128)a, (UInt128)b));
            var third = (ulong)((digits >> 64) & ulong.MaxValue);
            Assert.True(ExactBernoulli.Refine(new Script(second, third - 1000), first, (UInt128)a, (UInt128)b));
            Assert.False(ExactBernoulli.Refine(new Script(second, third + 1000), first, (UInt128)a, (UInt128)b));
        }

        [Fact]
        public void Encloses_exp_between_integers_three_apart()
        {
            foreach (var (a, b) in new (ulong, ulong)[] { (0, 1), (1, 1), (16, 1), (1, 1UL << 60), (999, 1000), (12345678901, 1234567890) })
            {
                foreach (var bits in new[] { 64, 128, 512 })
                {
                    var (low, high) = ExactBernoulli.ExpBounds(a, b, bits);
                    var exact = Digits(a, b, bits);
                    Assert.True(low <= exact && exact < high && high - low <= 3, $"exp(-{a}/{b}) at {bits} bits");
                }
            }
        }

        /// <summary>⌊exp(−a/b)·2^bits⌋ by a plain Taylor series with 400 spare bits: slow, and nothing shared with the code under test.</summary>
        private static BigInteger Digits(BigInteger a, BigInteger b, int bits)
        {
            var one = BigInteger.One << (bits + 400);
            BigInteger sum = 0, term = one;
            for (var k = 1; !term.IsZero; k++)
            {
                sum += term;
                term = -term * a / (b * k);
            }

            return sum >> 400;
        }
    }

    public sealed class The_discrete_Laplace_sampler
    {
        [Theory]
        [InlineData(1, 1)]
        [InlineData(1, 7)]
        [InlineData(5, 3)]
        public void Follows_its_law(ulong a, ulong b)
        {
            var law = new DiscreteLaplace(a, b);
            using var random = new SimulationRandom(22);
            AssertLaw(law.Probability, 60, 100_000, () => law.Next(random));
        }

        [Fact]
        public void Has_its_stated_variance()
        {
            var law = new DiscreteLaplace(1, 100);
            using var random = new SimulationRandom(23);
            var sample = new double[40_000];
            for (var i = 0; i < sample.Length; i++)
            {
                sample[i] = law.Next(random);
            }

            Statistics.AssertMean(sample, 0, law.Variance);
            Statistics.AssertVariance(sample, 0, law.Variance, kurtosis: 6);
            Assert.Equal(2e4, law.Variance, 2e4 * 1e-4);
        }

        [Theory]
        [InlineData(0.1, 1)]
        [InlineData(1.0, 3)]
        [InlineData(2.5, 1000)]
        public void Never_costs_more_than_the_epsilon_asked_for(double epsilon, ulong sensitivity)
        {
            var law = DiscreteLaplace.ForEpsilon(epsilon, sensitivity);
            var worst = Math.Log(law.Probability(0) / law.Probability((long)sensitivity));
            Assert.InRange(law.Decay * sensitivity, epsilon * (1 - 1e-10), epsilon);
            Assert.Equal(epsilon, worst, 1e-9);
        }
    }

    public sealed class The_discrete_Gaussian_sampler
    {
        [Theory]
        [InlineData(1, 4)]
        [InlineData(1, 1)]
        [InlineData(10, 1)]
        [InlineData(100, 1)]
        public void Follows_its_law(ulong numerator, ulong denominator)
        {
            var law = new DiscreteGaussian(numerator, denominator);
            using var random = new SimulationRandom(24);
            AssertLaw(law.Probability, 60, 100_000, () => law.Next(random));
        }

        [Fact]
        public void Has_its_stated_variance_at_the_width_used_for_models()
        {
            var law = DiscreteGaussian.FromSigma(1 << 16);
            using var random = new SimulationRandom(25);
            var sample = new double[20_000];
            for (var i = 0; i < sample.Length; i++)
            {
                sample[i] = law.Next(random);
            }

            Statistics.AssertMean(sample, 0, law.SigmaSquared);
            Statistics.AssertVariance(sample, 0, law.SigmaSquared);
            Statistics.AssertDistribution(sample, x => Statistics.NormalCdf((x + 0.5) / (1 << 16)));
        }

        [Fact]
        public void Matches_the_reference_probabilities()
        {
            // σ² = 0.25, 1, 10 of discrete_gaussian.csv (IBM/discrete-gaussian-differential-privacy).
            Assert.Equal(0.786570707041948, new DiscreteGaussian(1, 4).Probability(0), 1e-12);
            Assert.Equal(0.215012675088138, new DiscreteGaussian(1, 4).Variance, 1e-12);
            Assert.Equal(0.241970723224461, new DiscreteGaussian(1).Probability(1), 1e-12);
            Assert.Equal(0.999999788767728, new DiscreteGaussian(1).Variance, 1e-12);
            Assert.Equal(0.103288309493456, new DiscreteGaussian(10).Probability(2), 1e-12);
            foreach (var row in VectorFile.ReadIfThere("discrete_gaussian"))
            {
                var sigmaSquared = row.Number("sigma2");
                var law = sigmaSquared == 0.1 ? new DiscreteGaussian(1, 10) : new DiscreteGaussian((ulong)(sigmaSquared * 4), 4);
                Assert.Equal(row.Number("norm_const"), law.NormalisingConstant, row.Number("norm_const") * 1e-12);
                Assert.Equal(row.Number("variance"), law.Variance, row.Number("variance") * 1e-12);
                for (var x = 0; x <= 3; x++)
                {
                    Assert.Equal(row.Number($"p{x}"), law.Probability(x), 1e-12);
                }
            }
        }

        [Fact]
        public void Rounds_sigma_up_only()
        {
            foreach (var sigma in new[] { 0.1, 1 / 3.0, 3.7, 65536, 1000.123 })
            {
                var law = DiscreteGaussian.FromSigma(sigma);
                Assert.InRange(law.SigmaSquared, sigma * sigma, (sigma * sigma) + 1.6e-5);
            }
        }

        [Fact]
        public void Is_added_alike_on_any_number_of_threads()
        {
            var law = new DiscreteGaussian(1 << 10);
            var one = new long[200_000];
            var two = new long[200_000];
            using var a = new SimulationRandom(26);
            using var b = new SimulationRandom(26);
            law.AddTo(one, a, maxThreads: 1);
            law.AddTo(two, b, maxThreads: 2);
            Assert.Equal(one, two);
        }
    }

    public sealed class Binomial_noise
    {
        [Theory]
        [InlineData(3)]
        [InlineData(64)]
        [InlineData(100)]
        public void Counts_fair_bits(int trials)
        {
            using var random = new SimulationRandom(27);
            AssertBinomial(trials, 0.5, () => BinomialNoise.NextFair(random, trials));
        }

        [Theory]
        [InlineData(3)]
        [InlineData(100)]
        public void Counts_bits_of_a_quarter(int trials)
        {
            using var random = new SimulationRandom(28);
            AssertBinomial(trials, 0.25, () => BinomialNoise.NextQuarter(random, trials));
        }

        private static void AssertBinomial(int trials, double p, Func<long> draw)
        {
            var probabilities = new double[trials + 1];
            var log = trials * Math.Log(1 - p);
            for (var k = 0; k <= trials; k++)
            {
                probabilities[k] = Math.Exp(log);
                log += Math.Log((trials - k) * p / ((k + 1) * (1 - p)));
            }

            var counts = new long[trials + 1];
            for (var i = 0; i < 50_000; i++)
            {
                counts[draw()]++;
            }

            Statistics.AssertChiSquare(counts, probabilities);
        }
    }

    private static void AssertLaw(Func<long, double> probability, int reach, int draws, Func<long> draw)
    {
        var counts = new long[(2 * reach) + 2];
        for (var i = 0; i < draws; i++)
        {
            var x = draw();
            counts[Math.Abs(x) <= reach ? x + reach : counts.Length - 1]++;
        }

        var probabilities = new double[counts.Length];
        for (var x = -reach; x <= reach; x++)
        {
            probabilities[x + reach] = probability(x);
        }

        probabilities[^1] = Math.Max(0, 1 - probabilities.Sum());
        Statistics.AssertChiSquare(counts, probabilities);
    }

    private sealed class Script(params ulong[] words) : IRandomSource
    {
        public int Used { get; private set; }

        public bool IsCryptographic => false;

        public string Description => "script";

        public void Fill(Span<byte> destination) => throw new NotSupportedException();

        public ulong NextUInt64() => words[Used++];
    }
}
