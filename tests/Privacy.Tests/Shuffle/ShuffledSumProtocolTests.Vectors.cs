using Federated.Privacy.Amplification;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Shuffle;

/// <content>Sums of vectors.</content>
public static partial class ShuffledSumProtocolTests
{
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
}
