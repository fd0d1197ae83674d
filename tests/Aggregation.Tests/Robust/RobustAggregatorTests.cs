using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust;
using static Federated.Aggregation.Tests.Robust.RobustTesting;

namespace Federated.Aggregation.Tests.Robust;

public class RobustAggregatorTests
{
    private const int D = 40;

    private static RobustAggregator<float> Make(string rule) =>
        new(RobustRules.Create<float>(ThreeOfFifteen[rule], D), D);

    private static Contribution<float> From(int client, double[] vector, double weight = 1, long sequence = 0) =>
        new(client, vector.Select(c => (float)c).ToArray(), weight) { Sequence = sequence };

    public class Combine
    {
        public static TheoryData<string> Names => RuleNames;

        [Theory]
        [MemberData(nameof(Names))]
        public void Does_not_depend_on_the_order_of_arrival_to_the_bit(string name)
        {
            var x = Normal(1, 15, D);
            var weights = Enumerable.Range(1, 15).Select(i => 0.1 * i).ToArray();
            float[]? first = null;
            for (ulong seed = 0; seed < 6; seed++)
            {
                var order = Enumerable.Range(0, 15).ToArray();
                new SeededRandom(seed).Shuffle<int>(order);
                var aggregator = Make(name);
                foreach (var i in order)
                {
                    aggregator.Add(From(i / 2, x[i], weights[i], sequence: i));
                }

                var result = new float[D];
                aggregator.Combine(result);
                Assert.Equal(first ??= result, result);
            }
        }

        [Fact]
        public void Starts_afresh_and_reuses_nothing_of_the_last_aggregate()
        {
            var aggregator = Make(RobustRules.Median);
            var result = new float[D];
            aggregator.Add(From(1, Enumerable.Repeat(5.0, D).ToArray()));
            aggregator.Combine(result);
            Assert.Equal(0, aggregator.Count);
            aggregator.Add(From(1, Enumerable.Repeat(-2.0, D).ToArray()));
            Assert.Equal(1, aggregator.Combine(result).Count);
            Assert.All(result, value => Assert.Equal(-2, value));
        }

        [Fact]
        public void Names_the_clients_that_were_left_out()
        {
            var x = Normal(2, 15, D);
            var aggregator = Make(RobustRules.MultiKrum);
            for (var i = 14; i >= 0; i--)
            {
                aggregator.Add(From(100 + i, i == 4 ? [.. x[i].Select(c => c + 1e6)] : x[i]));
            }

            aggregator.Add(From(7, x[0], weight: 0));
            var report = aggregator.Combine(new float[D]);
            Assert.Equal(10, report.Count);
            Assert.Equal(1, report.WeightSum, 12);
            Assert.Equal((7, "weight 0"), report.LeftOut[0]);
            Assert.Contains(report.LeftOut, left => left.Client == 104 && left.Reason.Contains("Krum", StringComparison.Ordinal));
            Assert.Equal(16, report.Count + report.LeftOut.Count);
        }

        [Fact]
        public void Keeps_what_it_holds_when_there_are_too_few()
        {
            var x = Normal(3, 9, D);
            var aggregator = Make(RobustRules.Krum);
            for (var i = 0; i < 8; i++)
            {
                aggregator.Add(From(i, x[i]));
            }

            Assert.Throws<AggregationException>(() => aggregator.Combine(new float[D]));
            Assert.Equal(8, aggregator.Count);
            aggregator.Add(From(8, x[8]));
            Assert.Equal(1, aggregator.Combine(new float[D]).Count);
        }
    }

    public class Add
    {
        [Fact]
        public void Copies_the_delta()
        {
            var delta = new float[D];
            var aggregator = Make(RobustRules.Median);
            aggregator.Add(new Contribution<float>(1, delta, 1));
            delta.AsSpan().Fill(9);
            var result = new float[D];
            aggregator.Combine(result);
            Assert.All(result, value => Assert.Equal(0, value));
        }

        [Fact]
        public void Refuses_the_same_update_twice()
        {
            var aggregator = Make(RobustRules.Median);
            aggregator.Add(From(1, new double[D], sequence: 5));
            Assert.Contains("sequence 5", Assert.Throws<AggregationException>(() => aggregator.Add(From(1, new double[D], sequence: 5))).Message, StringComparison.Ordinal);
        }

        [Fact]
        public void Refuses_another_length() =>
            Assert.Contains("41", Assert.Throws<AggregationException>(() => Make(RobustRules.Median).Add(From(1, new double[41]))).Message, StringComparison.Ordinal);

        [Theory]
        [InlineData(-1)]
        [InlineData(double.NaN)]
        [InlineData(double.PositiveInfinity)]
        public void Refuses_a_weight_that_is_none(double weight) =>
            Assert.Throws<ArgumentOutOfRangeException>(() => Make(RobustRules.Median).Add(From(1, new double[D], weight)));
    }
}
