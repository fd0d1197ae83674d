using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Shuffle;

public static class ShuffledSumProtocolTests
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

    public sealed class P_VEC
    {
        [Fact]
        public void Estimates_the_sum_of_clipped_vectors_without_bias_with_its_stated_variance()
        {
            const int clients = 10, repetitions = 4000;
            var protocol = new VectorSum(3, 2, levels: 8, noiseBitsPerClient: 64, minimumClients: clients);
            using var random = new SimulationRandom(154);
            var samples = Enumerable.Range(0, 3).Select(_ => new double[repetitions]).ToArray();
            var sum = new double[3];
            for (var r = 0; r < repetitions; r++)
            {
                var ones = new long[3];
                for (var i = 0; i < clients; i++)
                {
                    protocol.Randomize([1, -0.5, i == 0 ? 100 : 0.25], ones, random);
                }

                protocol.Analyze(ones, clients, sum);
                for (var j = 0; j < 3; j++)
                {
                    samples[j][r] = sum[j];
                }
            }

            // The first client's (1, −½, 100) is clipped to length 2, nearly along the last axis.
            var scale = 2 / Math.Sqrt(1 + 0.25 + 1e4);
            double[] expected = [9 + scale, -4.5 - (scale / 2), 2.25 + (100 * scale)];
            for (var j = 0; j < 3; j++)
            {
                var variance = Statistics.Variance(samples[j], expected[j]);
                Statistics.AssertMean(samples[j], expected[j], variance);
                Assert.InRange(
                    variance,
                    protocol.NoiseVariance(clients) * 0.9,
                    (protocol.NoiseVariance(clients) + (clients * 4.0 / 64)) * 1.1);
            }
        }

        [Fact]
        public void One_client_moves_the_integers_by_at_most_the_stated_norm_under_common_rounding()
        {
            using var random = new SimulationRandom(155);
            foreach (var (d, g) in new[] { (1, 4), (4, 16), (50, 64) })
            {
                var limit = VectorSum.IntegerSensitivityOf(d, g);
                for (var trial = 0; trial < 2000; trial++)
                {
                    var x = Ball(d, random);
                    var y = trial % 2 == 0 ? [.. x.Select(v => -v)] : Ball(d, random);
                    var square = 0.0;
                    for (var j = 0; j < d; j++)
                    {
                        var u = random.NextDouble();
                        square += Math.Pow(Math.Floor(((x[j] + 1) / 2 * g) + u) - Math.Floor(((y[j] + 1) / 2 * g) + u), 2);
                    }

                    Assert.True(Math.Sqrt(square) <= limit + 1e-9, $"d={d} g={g}: {Math.Sqrt(square)} > {limit}");
                }
            }
        }

        [Fact]
        public void Takes_the_least_noise_for_a_guarantee()
        {
            var protocol = VectorSum.ForGuarantee(4, 1, 64, 1000, 1, 1e-6);
            var trials = 1000L * protocol.NoiseBitsPerClient;
            Assert.True(ShuffledSum.Epsilon(trials, 0.5, (long)Math.Ceiling(protocol.IntegerSensitivity), 1e-6) <= 1);
            Assert.True(ShuffledSum.Epsilon(trials, 0.5, (long)Math.Ceiling(protocol.IntegerSensitivity), 1e-6) > 0.95);
            Assert.Equal(4L * (64 + protocol.NoiseBitsPerClient), protocol.MessagesPerClient);
        }

        private static double[] Ball(int d, IRandomSource random)
        {
            var x = new double[d];
            GaussianSampler.Fill(x.AsSpan(), 1, random);
            var norm = Math.Sqrt(x.Sum(v => v * v));
            return [.. x.Select(v => v / norm)];
        }
    }

    public sealed class Split_and_mix
    {
        [Theory]
        [InlineData(1000, 32, 15)]
        [InlineData(1_000_000, 32, 8)]
        public void Needs_the_stated_number_of_shares(int clients, int bits, int shares) =>
            Assert.Equal(shares, new SplitAndMix(bits, clients).Shares);

        [Fact]
        public void Adds_up_whatever_the_order()
        {
            var protocol = new SplitAndMix(20, 50);
            using var random = new SimulationRandom(156);
            var all = new List<ulong>();
            long sum = 0;
            for (var i = 0; i < 50; i++)
            {
                var value = (i * 37) - 700;
                sum += value;
                var shares = new ulong[protocol.Shares];
                protocol.Split(value, shares, random);
                Assert.All(shares, s => Assert.True(s < 1 << 20));
                all.AddRange(shares);
            }

            var array = all.ToArray();
            random.Shuffle<ulong>(array);
            Assert.Equal(sum, protocol.Combine(array));
        }

        [Fact]
        public void Has_uniform_shares_any_but_one()
        {
            var protocol = new SplitAndMix(4, 100_000);
            using var random = new SimulationRandom(157);
            var shares = new ulong[protocol.Shares];
            var counts = Enumerable.Range(0, protocol.Shares).Select(_ => new long[16]).ToArray();
            for (var i = 0; i < 8000; i++)
            {
                protocol.Split(5, shares, random);
                for (var j = 0; j < shares.Length; j++)
                {
                    counts[j][shares[j]]++;
                }
            }

            // Each share alone is uniform, the last one too; only all m together say 5.
            Assert.All(counts, c => Statistics.AssertChiSquare(c, [.. Enumerable.Repeat(1 / 16.0, 16)]));
        }

        [Fact]
        public void Needs_nineteen_clients_and_more_shares_for_a_vector()
        {
            Assert.Throws<PrivacyException>(() => new SplitAndMix(32, 18));
            Assert.True(new SplitAndMix(32, 1000, dimension: 1 << 20).Shares > new SplitAndMix(32, 1000).Shares);
            Assert.True(new SplitAndMix(32, 1000, dimension: 1 << 20).Shares < 30); // and not d·log₂ q
        }
    }

    public sealed class A_batch
    {
        [Fact]
        public void Is_emitted_whole_once_and_in_uniform_order()
        {
            using var random = new SimulationRandom(158);
            var counts = new Dictionary<string, long>();
            for (var i = 0; i < 6000; i++)
            {
                var batch = new ShuffleBatch(2, 2, 1);
                batch.Add([1, 2]);
                batch.Add([3, 4]);
                var key = string.Join(' ', batch.Emit(random).Select(m => m.Span[0]));
                counts[key] = counts.GetValueOrDefault(key) + 1;
                Assert.Throws<PrivacyException>(() => batch.Emit(random));
            }

            Assert.Equal(24, counts.Count);
            Statistics.AssertChiSquare([.. counts.Values], [.. Enumerable.Repeat(1 / 24.0, 24)]);
        }

        [Fact]
        public void Below_the_minimum_is_never_emitted_and_odd_sizes_are_refused()
        {
            using var random = new SimulationRandom(159);
            var batch = new ShuffleBatch(3, 1, 4);
            batch.Add([1, 2, 3, 4]);
            batch.Add([1, 2, 3, 4]);
            Assert.Throws<PrivacyException>(() => batch.Emit(random));
            Assert.Throws<PrivacyException>(() => batch.Add([1, 2, 3]));
            batch.Discard();
            Assert.Equal(0, batch.Clients);
        }
    }

    public sealed class Concurrent_shufflers
    {
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(3)]
        public void Count_without_bias_but_for_the_tail_with_their_stated_variance(int shufflers)
        {
            const int steps = 100, repetitions = 1500;
            using var random = new SimulationRandom(160);
            var checkpoints = new[] { 30, 64, 100 };
            var samples = checkpoints.Select(_ => new double[repetitions]).ToArray();
            var probe = new ConcurrentShufflersCounter(steps, shufflers, length => new ScalarSum(1, 1 + (200 / length), length, length > 20 ? 0.3 : 0.5), random);
            for (var r = 0; r < repetitions; r++)
            {
                var counter = new ConcurrentShufflersCounter(steps, shufflers, length => new ScalarSum(1, 1 + (200 / length), length, length > 20 ? 0.3 : 0.5), random);
                for (var t = 1; t <= steps; t++)
                {
                    var estimate = counter.Add(t % 2 == 0);
                    var index = Array.IndexOf(checkpoints, t);
                    if (index >= 0)
                    {
                        samples[index][r] = estimate;
                    }
                }
            }

            for (var i = 0; i < checkpoints.Length; i++)
            {
                var covered = checkpoints[i] / probe.BatchLengths[0] * probe.BatchLengths[0];
                Statistics.AssertMean(samples[i], covered / 2, probe.Variance(checkpoints[i]));
                Statistics.AssertVariance(samples[i], covered / 2, probe.Variance(checkpoints[i]));
            }
        }

        [Fact]
        public void Nest_their_batches_and_shorten_the_tail_as_there_are_more()
        {
            using var random = new SimulationRandom(161);
            var tail = int.MaxValue;
            foreach (var shufflers in new[] { 1, 2, 3 })
            {
                var counter = new ConcurrentShufflersCounter(1_000_000, shufflers, length => new ScalarSum(1, 1, length), random);
                Assert.All(counter.BatchLengths.Zip(counter.BatchLengths.Skip(1)), pair => Assert.Equal(0, pair.Second % pair.First));
                Assert.True(counter.BatchLengths[0] < tail);
                Assert.InRange(counter.BatchLengths[0], 0.5 * Math.Pow(1e6, 1.0 / ((2 * shufflers) + 1)), 2 * Math.Pow(1e6, 1.0 / ((2 * shufflers) + 1)));
                tail = counter.BatchLengths[0];
            }
        }

        [Theory]
        [InlineData(1000, 3)]
        [InlineData(65_536, 2)]
        public void Spend_the_budget_together_and_little_less(int steps, int shufflers)
        {
            using var random = new SimulationRandom(162);
            var counter = ConcurrentShufflersCounter.ForGuarantee(steps, shufflers, 1, 1e-6, random);
            Assert.InRange(new PldAccountant().Epsilon(counter.Event(), 1e-6), 0.95, 1);
        }

        [Fact]
        public void Have_no_more_noise_in_a_long_batch_than_in_a_short_one()
        {
            // A fair bit of every client would be a variance of length/4.
            using var random = new SimulationRandom(163);
            var counter = ConcurrentShufflersCounter.ForGuarantee(1 << 20, 2, 1, 1e-6, random);
            var (brief, lengthy) = (counter.Variance(counter.BatchLengths[0]), counter.Variance(counter.BatchLengths[1]));
            Assert.InRange(lengthy / brief, 0.9, 1.1);
            Assert.True(lengthy < counter.BatchLengths[1] / 20.0);
        }

        [Fact]
        public void Err_less_as_there_are_more()
        {
            using var random = new SimulationRandom(164);
            var errors = Enumerable.Range(1, 3).Select(k =>
            {
                var counter = ConcurrentShufflersCounter.ForGuarantee(1 << 16, k, 1, 1e-6, random);
                return Math.Sqrt(Enumerable.Range(1, 1 << 10).Average(i => counter.Variance(i << 6)));
            }).ToArray();
            Assert.Equal(errors.OrderDescending(), errors);
            Assert.True(errors[2] < errors[0] / 2);
        }
    }
}
