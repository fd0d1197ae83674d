using Federated.Privacy.Amplification;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Shuffle;

/// <content>Sums of one number a client.</content>
public static partial class ShuffledSumProtocolTests
{
    public sealed class P_1D
    {
        [Theory]
        [InlineData(0.0)]
        [InlineData(0.37)]
        [InlineData(1.0)]
        public void Estimates_the_sum_without_bias_with_its_stated_variance(double value)
        {
            const int clients = 20, repetitions = 4000;
            var protocol = new ScalarSum(levels: 5, noiseBitsPerClient: 40, minimumClients: clients);
            using var random = new SimulationRandom(151);
            var sample = new double[repetitions];
            for (var r = 0; r < repetitions; r++)
            {
                long ones = 0;
                for (var i = 0; i < clients; i++)
                {
                    ones += protocol.Randomize(value, random);
                }

                sample[r] = protocol.Analyze(ones, clients);
            }

            var fraction = (value * 5) - Math.Floor(value * 5);
            var variance = protocol.NoiseVariance(clients) + (clients * fraction * (1 - fraction) / 25);
            Statistics.AssertMean(sample, clients * value, variance);
            Statistics.AssertVariance(sample, clients * value, variance);
        }

        [Fact]
        public void Sends_the_same_number_of_equal_messages_whatever_the_value()
        {
            var protocol = new ScalarSum(5, 11, 1);
            using var random = new SimulationRandom(152);
            var messages = new byte[protocol.MessagesPerClient];
            foreach (var value in new[] { 0, 0.5, 1 })
            {
                var ones = protocol.Randomize(value, random);
                protocol.WriteMessages(ones, messages);
                Assert.Equal(ones, messages.Sum(m => m));
                Assert.All(messages, m => Assert.InRange(m, 0, 1));
            }
        }

        [Theory]
        [InlineData(1, 2, 3)]
        [InlineData(2, 3, 4)]
        [InlineData(3, 1, 9)]
        public void Has_the_exact_divergence_of_shifted_binomials_by_enumeration(int clients, int levels, int bits)
        {
            // The law of the number of ones, by convolving every client's: rounding of the value and Bin(bits, ½).
            var protocol = new ScalarSum(levels, bits, clients);
            double[] others = [1];
            for (var i = 1; i < clients; i++)
            {
                others = Convolve(others, Law(0.4, protocol));
            }

            foreach (var epsilon in new[] { 0.2, 1, 2 })
            {
                var worst = 0.0;
                foreach (var x in new[] { 0, 0.25, 0.5, 1 })
                {
                    foreach (var y in new[] { 0, 0.25, 0.5, 1 })
                    {
                        var p = Convolve(others, Law(x, protocol));
                        var q = Convolve(others, Law(y, protocol));
                        worst = Math.Max(worst, p.Zip(q, (a, b) => Math.Max(0, a - (Math.Exp(epsilon) * b))).Sum());
                    }
                }

                // Other clients' rounding only adds randomness: the bound is met with equality when they are alone or on grid points.
                Assert.True(worst <= ShuffledSum.Delta((long)clients * bits, 0.5, levels, epsilon) + 1e-12);
                if (clients == 1)
                {
                    Assert.Equal(ShuffledSum.Delta(bits, 0.5, levels, epsilon), worst, 1e-12);
                }
            }
        }

        [Fact]
        public void Meets_the_reference_noise()
        {
            foreach (var row in VectorFile.ReadIfThere("shuffle_scalar_sum_p1d"))
            {
                var (n, g) = (row.Integer("n"), row.Integer("g"));
                if (n > 10_000)
                {
                    continue; // the search itself is the accountant's, and tested there
                }

                var protocol = ScalarSum.ForGuarantee(g, n, row.Number("eps"), row.Number("delta"));
                Assert.Equal(row.Integer("b_exact_per_user"), protocol.NoiseBitsPerClient, tolerance: 1.0 + (0.001 * row.Integer("b_exact_per_user")));
                Assert.Equal(row.Number("sd_exact"), Math.Sqrt(protocol.NoiseVariance(n)), row.Number("sd_exact") * 0.02);
            }

            Assert.Equal(74, ScalarSum.ForGuarantee(32, 1000, 1, 1e-6).NoiseBitsPerClient);
        }

        [Fact]
        public void Fits_the_probability_where_a_batch_has_more_clients_than_bits_are_needed()
        {
            var protocol = ScalarSum.ForGuarantee(levels: 1, minimumClients: 5000, epsilon: 1, delta: 1e-6);
            Assert.Equal(1, protocol.NoiseBitsPerClient);
            Assert.True(protocol.NoiseProbability < 0.02);
            Assert.InRange(ShuffledSum.Delta(5000, protocol.NoiseProbability, 1, 1), 0.99e-6, 1e-6);
            using var random = new SimulationRandom(154);
            var sample = new double[1500];
            for (var r = 0; r < sample.Length; r++)
            {
                sample[r] = protocol.Analyze(Enumerable.Range(0, 5000).Sum(i => (long)protocol.Randomize(i % 2, random)), 5000);
            }

            Statistics.AssertMean(sample, 2500, protocol.NoiseVariance(5000));
            Statistics.AssertVariance(sample, 2500, protocol.NoiseVariance(5000));
        }

        [Fact]
        public void Refuses_batches_with_too_little_noise_and_values_out_of_range()
        {
            var protocol = new ScalarSum(5, 11, 10);
            using var random = new SimulationRandom(153);
            Assert.Throws<PrivacyException>(() => protocol.Analyze(50, 9));
            Assert.Throws<PrivacyException>(() => protocol.Analyze(161, 10));
            Assert.Throws<PrivacyException>(() => protocol.Randomize(1.01, random));
            Assert.Throws<PrivacyException>(() => protocol.Randomize(double.NaN, random));
        }

        private static double[] Law(double value, ScalarSum protocol)
        {
            var binomial = new double[] { 1 };
            for (var i = 0; i < protocol.NoiseBitsPerClient; i++)
            {
                binomial = Convolve(binomial, [0.5, 0.5]);
            }

            var position = value * protocol.Levels;
            var floor = (int)Math.Floor(position);
            var rounding = new double[protocol.Levels + 1];
            rounding[floor] = 1 - (position - floor);
            if (floor < protocol.Levels)
            {
                rounding[floor + 1] = position - floor;
            }

            return Convolve(binomial, rounding);
        }

        private static double[] Convolve(double[] a, double[] b)
        {
            var result = new double[a.Length + b.Length - 1];
            for (var i = 0; i < a.Length; i++)
            {
                for (var j = 0; j < b.Length; j++)
                {
                    result[i + j] += a[i] * b[j];
                }
            }

            return result;
        }
    }
}
