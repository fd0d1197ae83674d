using Federated.Privacy.Accounting;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Shuffle;

public static partial class ShuffledSumProtocolTests
{
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
