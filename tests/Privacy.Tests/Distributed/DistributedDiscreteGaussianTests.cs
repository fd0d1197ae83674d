using Federated.Privacy.Accounting;
using Federated.Privacy.Clipping;
using Federated.Privacy.Distributed;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Distributed;

public static class DistributedDiscreteGaussianTests
{
    private static readonly byte[] RotationSeed = [.. Enumerable.Range(0, 32).Select(i => (byte)(7 * i))];

    private static DistributedDiscreteGaussianOptions Options => new() { ClipNorm = 1, Scale = 400, LocalDeviation = 0.05, Clients = 20 };

    public sealed class The_sum
    {
        [Fact]
        public void Is_decoded_without_bias_with_the_noise_of_all_clients()
        {
            const int d = 300, clients = 20;
            var protocol = new DistributedDiscreteGaussian<double>(Options, d);
            Assert.Equal(512, protocol.PaddedDimension);
            using var random = new SimulationRandom(211);
            var errors = new List<double>();
            var mask = (1UL << protocol.ModulusBits) - 1;
            for (var repetition = 0; repetition < 20; repetition++)
            {
                var sum = new ulong[protocol.PaddedDimension];
                var message = new ulong[protocol.PaddedDimension];
                var expected = new double[d];
                for (var client = 0; client < clients; client++)
                {
                    var update = new double[d];
                    GaussianSampler.Fill(update.AsSpan(), 0.8 / Math.Sqrt(d), random);
                    for (var j = 0; j < d; j++)
                    {
                        expected[j] += update[j];
                    }

                    protocol.Encode(update, RotationSeed, message, random);
                    for (var j = 0; j < sum.Length; j++)
                    {
                        sum[j] = (sum[j] + message[j]) & mask;
                    }
                }

                var result = new double[d];
                protocol.Decode(sum, RotationSeed, result);
                errors.AddRange(result.Zip(expected, (a, b) => a - b));
            }

            // n·σ_l² of noise and at most n/(4s²) of rounding.
            var variance = clients * (Math.Pow(0.05, 2) + (1 / (6 * 400.0 * 400)));
            Statistics.AssertMean([.. errors], 0, variance);
            Assert.InRange(Statistics.Variance([.. errors], 0), clients * 0.0025 * 0.9, clients * (0.0025 + (0.25 / 160_000)) * 1.1);
        }

        [Fact]
        public void Is_exact_while_it_stays_within_half_the_modulus()
        {
            // One client, hardly any noise: what comes back is what was sent, to the grid.
            var protocol = new DistributedDiscreteGaussian<double>(
                new DistributedDiscreteGaussianOptions { ClipNorm = 10, Scale = 1e5, LocalDeviation = 4e-5, Clients = 1 }, 4);
            using var random = new SimulationRandom(212);
            var message = new ulong[4];
            protocol.Encode([3, -2, 0.5, -0.25], RotationSeed, message, random);
            var result = new double[4];
            protocol.Decode(message, RotationSeed, result);
            Assert.All(result.Zip([3, -2, 0.5, -0.25]), pair => Assert.Equal(pair.Second, pair.First, 1e-3));
        }
    }

    public sealed class The_sensitivity
    {
        [Fact]
        public void Is_never_exceeded_by_a_rounding()
        {
            // At scale 1 rounding is as large as the vector: unconditioned it would pass the bound every other time.
            var options = new DistributedDiscreteGaussianOptions { ClipNorm = 8, Scale = 1, LocalDeviation = 4, Clients = 1, Beta = 0.6 };
            var protocol = new DistributedDiscreteGaussian<double>(options, 64);
            using var random = new SimulationRandom(213);
            var integers = new long[64];
            var longer = 0;
            for (var i = 0; i < 3000; i++)
            {
                var vector = new double[64];
                GaussianSampler.Fill(vector.AsSpan(), 1, random);
                L2Clip.Apply(vector.AsSpan(), 8);
                protocol.RoundWithin(vector, integers, random);
                Assert.True(integers.Sum(k => (double)k * k) <= protocol.L2Sensitivity * protocol.L2Sensitivity);
                longer += vector.Sum(x => Math.Pow(random.NextRounded(x), 2)) > protocol.L2Sensitivity * protocol.L2Sensitivity ? 1 : 0;
            }

            Assert.InRange(longer, 1, 1800);
            Assert.Equal(Math.Sqrt(64 + 16 + (Math.Sqrt(2 * Math.Log(1 / 0.6)) * 12)), protocol.L2Sensitivity, 1e-9);
            Assert.True(protocol.L2Sensitivity < 8 + 8);
        }

        [Fact]
        public void Meets_distributed_dp_csv()
        {
            foreach (var row in VectorFile.ReadIfThere("distributed_dp"))
            {
                var options = new DistributedDiscreteGaussianOptions
                {
                    ClipNorm = row.Number("c"), Scale = row.Number("s"), LocalDeviation = row.Number("sigma_l"), Clients = row.Integer("n"), Beta = row.Number("beta"),
                };
                var d = row.Integer("d");
                if (options.Scale * options.LocalDeviation < 4)
                {
                    // s·σ_l = 1: τ = 5e-4 dominates, which is why such grids are refused.
                    Assert.Throws<PrivacyException>(() => new DistributedDiscreteGaussian<float>(options, d));
                    continue;
                }

                var protocol = new DistributedDiscreteGaussian<float>(options, d);
                Assert.Equal(row.Number("l2s"), protocol.L2Sensitivity, row.Number("l2s") * 1e-6);
                Assert.Equal(row.Number("l1s"), Math.Ceiling(protocol.L1Sensitivity)); // given as a whole number
                Assert.Equal(row.Integer("modulus_bits"), protocol.ModulusBits);
                var release = protocol.Event(NeighbourRelation.AddRemoveClient, row.Integer("n"));
                var epsilon = new RdpAccountant().Epsilon(release.Repeated(row.Integer("T")), row.Number("delta"));
                Assert.True(epsilon <= row.Number("eps_ddg") * (1 + 1e-6), $"{epsilon} > {row.Number("eps_ddg")}");
                Assert.True(epsilon >= row.Number("eps_gauss"), $"{epsilon} < {row.Number("eps_gauss")}");
            }
        }

        [Fact]
        public void Is_not_stated_for_replace_one() => Assert.Throws<PrivacyException>(
            () => new DistributedDiscreteGaussian<float>(Options, 10).Event(NeighbourRelation.ReplaceOneClient, 10));
    }
}
