using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Tests.Averaging;

/// <content>What a sum does not take.</content>
public partial class ReproducibleSumTests
{
    public class Refusals
    {
        [Theory]
        [InlineData(float.NaN)]
        [InlineData(float.PositiveInfinity)]
        public void A_value_that_is_not_finite_is_named_and_breaks_the_sum_until_reset(float bad)
        {
            var vector = new float[1300];
            vector[0] = 1;
            var sum = new ReproducibleSum<float>(1300);
            sum.Add(vector);
            vector[1234] = bad;
            var message = Assert.Throws<AggregationException>(() => sum.Add(vector)).Message;
            Assert.Contains("Coordinate 1234", message);
            Assert.Contains(bad.ToString(), message);
            Assert.Contains("Reset", Assert.Throws<AggregationException>(() => sum.Read(new float[1300])).Message);
            Assert.Contains("Reset", Assert.Throws<AggregationException>(() => sum.Add(new float[1300])).Message);
            sum.Reset();
            vector[1234] = 2;
            sum.Add(vector);
            var total = new float[1300];
            sum.Read(total);
            Assert.Equal(vector, total);
        }

        [Fact]
        public void It_is_found_in_the_first_vector_and_in_later_ones_and_on_threads()
        {
            var good = Enumerable.Repeat(1f, 40_000).ToArray();
            var bad = (float[])good.Clone();
            bad[39_999] = float.NegativeInfinity;
            foreach (var vectors in new float[][][] { [bad, good], [good, bad], [good, good, bad] })
            {
                var memories = vectors.Select(v => (ReadOnlyMemory<float>)v).ToArray();
                var weights = vectors.Select(_ => 1.0).ToArray();
                var message = Assert.Throws<AggregationException>(
                    () => ReproducibleSum<float>.Combine(memories, weights, 1, new float[40_000], 2)).Message;
                Assert.Contains("39999", message);
            }
        }

        [Fact]
        public void Products_beyond_the_range_are_refused()
        {
            var sum = new ReproducibleSum<double>(2);
            Assert.Contains("2^1011", Assert.Throws<AggregationException>(() => sum.Add([1, 1e300], 1e200)).Message);
            sum.Reset();
            Assert.Throws<AggregationException>(() => sum.Add([1, 1e305]));
        }

        [Fact]
        public void A_total_that_the_type_cannot_hold_is_refused()
        {
            var sum = new ReproducibleSum<float>(1);
            sum.Add([3e38f]);
            sum.Add([3e38f]);
            Assert.Contains("Single's range", Assert.Throws<AggregationException>(() => sum.Read(new float[1])).Message);
            var half = new float[1];
            sum.Read(half, 2);
            Assert.Equal(3e38f, half[0]);
        }

        [Fact]
        public void More_terms_than_the_headroom_are_refused_and_the_last_one_is_still_exact()
        {
            // Each term fills its bin to the limit: 2^20 − 1 of them come within one of wrapping the 64-bit sum.
            var term = Math.ScaleB(1.0, 43) - 1;
            var sum = new ReproducibleSum<double>(1);
            for (var i = 0; i < Bins.MaxTerms - 1; i++)
            {
                sum.Add([term]);
            }

            var total = new double[1];
            sum.Read(total);
            Assert.Equal(term * (Bins.MaxTerms - 1), total[0]);
            Assert.Contains("1048575", Assert.Throws<AggregationException>(() => sum.Add([1])).Message);
        }

        [Fact]
        public void Lengths_and_weights_are_checked()
        {
            var sum = new ReproducibleSum<float>(3);
            Assert.Throws<ArgumentOutOfRangeException>(() => sum.Add(new float[2]));
            Assert.Throws<ArgumentOutOfRangeException>(() => sum.Add(new float[3], double.NaN));
            Assert.Throws<ArgumentOutOfRangeException>(() => sum.Read(new float[4]));
            Assert.Throws<ArgumentOutOfRangeException>(() => sum.Read(new float[3], 0));
            Assert.Throws<NotSupportedException>(() => new ReproducibleSum<Half>(3));
            sum.Add([1, 2, 3]);
        }
    }
}
