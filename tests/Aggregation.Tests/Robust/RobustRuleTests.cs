using System.Text.Json;
using Federated.Aggregation.Robust;
using static Federated.Aggregation.Tests.Robust.RobustTesting;

namespace Federated.Aggregation.Tests.Robust;

/// <summary>Each rule on cases small enough to work out by hand.</summary>
public class RobustRuleTests
{
    private static double[][] Points(params double[] values) => [.. values.Select(v => new[] { v })];

    public class Median
    {
        [Theory]
        [InlineData(new[] { 3.0 }, 3)]
        [InlineData(new[] { 1.0, 2.0 }, 1.5)]
        [InlineData(new[] { 9.0, 1.0, 2.0 }, 2)]
        [InlineData(new[] { 1e30, -5.0, 4.0, 2.0 }, 3)]
        [InlineData(new[] { 2.0, 2.0, 2.0, -1.0, 7.0 }, 2)]
        public void Is_the_middle_value_or_the_mean_of_two(double[] values, double expected) =>
            Assert.Equal([expected], Combine<float>(RobustRules.Median, Points(values)));

        [Fact]
        public void Of_two_huge_values_does_not_overflow() =>
            Assert.Equal([(double)float.MaxValue], Combine<float>(RobustRules.Median, Points(float.MaxValue, float.MaxValue)));
    }

    public class TrimmedMeanRule
    {
        [Theory]
        [InlineData(0.0, 22)]
        [InlineData(0.2, 3)]
        [InlineData(0.4, 3)]
        public void Drops_both_ends(double beta, double expected) =>
            Assert.Equal([expected], Combine(new TrimmedMean<double>(new() { Beta = beta }), Points(1, 2, 3, 4, 100)));

        [Fact]
        public void Counts_shares_as_they_are_written() =>
            Assert.Equal(29, new TrimmedMean<double>(new() { Beta = 0.29 }).Tolerates(100));

        [Theory]
        [InlineData(-0.1)]
        [InlineData(0.5)]
        [InlineData(double.NaN)]
        public void Refuses_a_share_that_leaves_nothing(double beta) =>
            Assert.Contains("[0, 0.5)", Assert.Throws<AggregationException>(() => new TrimmedMean<double>(new() { Beta = beta })).Message, StringComparison.Ordinal);
    }

    public class KrumRules
    {
        // n = 5, f = 1, 2 nearest: at 0: 1 + 4 = 5; at 1: 1 + 1 = 2; at 2: 1 + 2.25 = 3.25; at 3.5: 2.25 + 6.25 = 8.5; at 50: huge.
        [Fact]
        public void Krum_takes_the_update_with_the_nearest_fellows() =>
            Assert.Equal([1.0], Combine(new Krum<double>(new() { Byzantine = 1 }), Points(0, 1, 2, 3.5, 50)));

        [Fact]
        public void Multi_krum_averages_the_best_scored() =>
            Assert.Equal([1.5], Combine(new MultiKrum<double>(new() { Byzantine = 1, Selected = 2 }), Points(0, 1, 2, 3.5, 50)));

        [Fact]
        public void Multi_krum_of_one_is_krum()
        {
            var x = Normal(3, 13, 40);
            Assert.Equal(
                Combine(new Krum<double>(new() { Byzantine = 4 }), x),
                Combine(new MultiKrum<double>(new() { Byzantine = 4, Selected = 1 }), x));
        }

        [Fact]
        public void Equal_scores_go_to_the_lower_index() =>
            Assert.Equal([0.0], Combine(new Krum<double>(new() { Byzantine = 0 }), Points(0, 1, 0.5)));

        [Fact]
        public void A_huge_update_does_not_blur_the_distances_between_the_others() =>
            Assert.Equal([1.0], Combine(new Krum<float>(new() { Byzantine = 1 }), Points(0, 1, 2, 3.5, 3e38)));
    }

    public class BulyanRule
    {
        // n = 7, f = 1. θ = 5 are chosen, 3 values nearest to their median averaged: of 1, 2, 3, 4, 5 these are 2, 3, 4.
        [Fact]
        public void Averages_around_the_median_of_the_chosen() =>
            Assert.Equal([3.0], Combine(new Bulyan<double>(new() { Byzantine = 1 }), Points(1, 2, 3, 4, 5, 1000, -1000)));

        [Fact]
        public void Without_attackers_is_the_mean()
        {
            var x = Normal(4, 6, 30);
            Close(NaiveRules.Mean(x), Combine(new Bulyan<double>(new() { Byzantine = 0 }), x), 1e-14);
        }
    }

    public class GeometricMedianRule
    {
        // The Fermat point of an equilateral triangle is its centroid; of a square's corners, its centre.
        [Fact]
        public void Of_a_square_is_its_centre() => Close(
            [0.5, 0.5], Combine(new GeometricMedian<double>(new()), [[0, 0], [1, 0], [0, 1], [1, 1]]), 1e-12);

        // Triangle (0,0), (4,0), (1,3): angles below 120°, Fermat point by Torricelli's construction (solved in closed form):
        // at the minimum the three unit vectors towards the corners add up to zero.
        [Fact]
        public void Balances_the_unit_pulls_of_a_triangle()
        {
            double[][] corners = [[0, 0], [4, 0], [1, 3]];
            var v = Combine(new GeometricMedian<double>(new() { Steps = 2000, Tolerance = 0 }), corners);
            double[] pull = [0, 0];
            foreach (var corner in corners)
            {
                var length = NaiveRules.Distance(corner, v);
                pull[0] += (corner[0] - v[0]) / length;
                pull[1] += (corner[1] - v[1]) / length;
            }

            Close([0, 0], pull, 1e-6);
        }

        [Fact]
        public void A_majority_of_weight_at_one_point_decides() => Close(
            [5.0, 5.0],
            Combine(new GeometricMedian<double>(new() { Steps = 500, Tolerance = 0 }), [[5, 5], [0, 0], [9, 1]], [10, 1, 1]), 1e-4);

        [Fact]
        public void Unweighted_it_ignores_the_weights()
        {
            var x = Normal(5, 7, 10);
            var rule = new GeometricMedian<double>(new() { Weighted = false });
            Assert.Equal(Combine(rule, x), Combine(rule, x, [1, 2, 3, 4, 5, 6, 7]));
        }

        [Fact]
        public void The_bound_of_its_remarks_holds_after_a_single_step()
        {
            var x = Normal(6, 9, 20);
            var start = NaiveRules.Median(x);
            foreach (var far in new[] { 1e3, 1e9, 1e30 })
            {
                var attacked = x.Select((v, i) => i < 4 ? v.Select(_ => far).ToArray() : v).ToArray();
                start = NaiveRules.Median(attacked);
                var bound = 2 * attacked.Skip(4).Sum(v => NaiveRules.Distance(v, start)) / 9 / (1 - (8.0 / 9));
                var v = Combine(new GeometricMedian<double>(new() { Steps = 1 }), attacked);
                Assert.True(NaiveRules.Distance(v, start) <= bound + 1e-6, $"{far}: {NaiveRules.Distance(v, start)} > {bound}");
            }
        }
    }

    public class CenteredClippingRule
    {
        // Centre 0, τ = 2: differences 1, 3→2, −8→−2, mean (1 + 2 − 2)/3.
        [Fact]
        public void Moves_by_the_mean_of_the_shortened_differences() => Close(
            [1.0 / 3], Combine(new CenteredClipping<double>(new() { Radius = 2 }, 1), Points(1, 3, -8)), 1e-15);

        // The second combination starts at 1/3: differences 2/3, 8/3→2, −25/3→−2.
        [Fact]
        public void Remembers_its_centre_from_one_combination_to_the_next()
        {
            var rule = new CenteredClipping<double>(new() { Radius = 2 }, 1);
            Combine(rule, Points(1, 3, -8));
            Close([1.0 / 3], rule.State["centre"].ToArray(), 1e-15);
            Close([(1.0 / 3) + (2.0 / 9)], Combine(rule, Points(1, 3, -8)), 1e-15);
        }

        [Fact]
        public void A_restored_centre_continues_to_the_bit()
        {
            var options = new CenteredClippingOptions { Radius = 0.5, Steps = 2 };
            var (whole, resumed) = (new CenteredClipping<float>(options, 30), new CenteredClipping<float>(options, 30));
            Combine(whole, Normal(1, 5, 30));
            whole.State["centre"].CopyTo(resumed.State["centre"]);
            Assert.Equal(Combine(whole, Normal(2, 5, 30)), Combine(resumed, Normal(2, 5, 30)));
        }

        [Fact]
        public void Within_the_radius_is_the_mean() => Close(
            NaiveRules.Mean(Normal(7, 6, 8)), Combine(new CenteredClipping<double>(new() { Radius = 1e9 }, 8), Normal(7, 6, 8)), 1e-14);
    }

    public class NormBoundingRule
    {
        [Fact]
        public void Shortens_what_is_too_long() => Close(
            [(0.6 + 0.3) / 2, (0.8 + 0.4) / 2], Combine(new NormBounding<double>(new() { Bound = 1 }), [[60, 80], [0.3, 0.4]]), 1e-15);

        [Fact]
        public void Weighs_as_the_mean_does() => Close(
            [0.75], Combine(new NormBounding<double>(new() { Bound = 1 }), Points(50, 0), [3, 1]), 1e-15);

        [Fact]
        public void Can_follow_the_median_length() => Close(
            [(1.0 + 2 + 4) / 3], Combine(new NormBounding<double>(new() { Bound = 2, OfMedian = true }), Points(1, 2, 400)), 1e-15);
    }

    public class NearestNeighbours
    {
        [Fact]
        public void Averaging_keeps_the_nearest_to_the_pivot()
        {
            var rule = new NearestNeighbourAveraging<double>(new() { Byzantine = 1, Pivot = NearestNeighbourPivot.Model });
            Assert.Equal([1.5], Combine(rule, Points(1, 2, 9)));
        }

        [Fact]
        public void Averaging_around_a_workers_own_vector()
        {
            var rule = new NearestNeighbourAveraging<double>(new() { Byzantine = 1 });
            var result = new double[1];
            rule.Combine(new HeldUpdates<double>([.. Points(1, 2, 9).Select(v => (ReadOnlyMemory<double>)v)]), new[] { 8.0 }, result);
            Assert.Equal([5.5], result);
        }

        [Fact]
        public void Without_attackers_averaging_is_the_mean()
        {
            var x = Normal(8, 5, 12);
            Close(NaiveRules.Mean(x), Combine(new NearestNeighbourAveraging<double>(new() { Byzantine = 0 }), x), 1e-14);
        }

        // f = 1, n = 4: 0→(0,1,2)=1, 1→(1,0,2)=1, 2→(2,1,0)=1, 10→(10,2,1)=13/3; median (1 + 1)/2.
        [Fact]
        public void Mixing_replaces_every_update_by_its_neighbours_mean() => Close(
            [1.0], Combine(new NearestNeighbourMixing<double>(new() { Byzantine = 1 }, new CoordinateMedian<double>()), Points(0, 1, 2, 10)), 1e-15);

        [Fact]
        public void A_majority_of_identical_honest_updates_is_returned()
        {
            var x = Enumerable.Range(0, 11).Select(i => i < 7 ? new[] { 0.25, -3.0 } : [1e6 * i, -1e6]).ToArray();
            Assert.Equal([0.25, -3.0], Combine(new NearestNeighbourAveraging<double>(new() { Byzantine = 4 }), x));
        }
    }

    public class TooFew
    {
        [Theory]
        [InlineData(RobustRules.Krum, 9)]
        [InlineData(RobustRules.MultiKrum, 9)]
        [InlineData(RobustRules.Bulyan, 15)]
        [InlineData(RobustRules.NearestNeighbourMixing, 7)]
        [InlineData(RobustRules.NearestNeighbourAveraging, 7)]
        [InlineData(RobustRules.Median, 1)]
        [InlineData(RobustRules.TrimmedMean, 1)]
        [InlineData(RobustRules.GeometricMedian, 1)]
        [InlineData(RobustRules.CenteredClipping, 1)]
        [InlineData(RobustRules.NormBounding, 1)]
        public void Is_refused_with_what_was_needed_and_what_there_was(string name, int needed)
        {
            var rule = RobustRules.Create<double>(ThreeOfFifteen[name], needed == 1 ? 0 : 4);
            Assert.Equal(needed, rule.MinimumCount);
            var error = Assert.Throws<AggregationException>(() => _ = needed == 1
                ? rule.Combine(new HeldUpdates<double>([]), [])
                : rule.Combine(new HeldUpdates<double>([.. Normal(1, needed - 1, 4).Select(v => (ReadOnlyMemory<double>)v)]), new double[4]));
            Assert.Contains($"at least {needed} updates", error.Message, StringComparison.Ordinal);
            Assert.Contains($"there were {needed - 1}", error.Message, StringComparison.Ordinal);
            if (needed > 1)
            {
                Combine(rule, Normal(1, needed, 4));
            }
        }

        [Fact]
        public void More_selected_than_scored_is_refused() =>
            Assert.Throws<AggregationException>(() => Combine(new MultiKrum<double>(new() { Byzantine = 1, Selected = 8 }), Normal(1, 10, 4)));
    }

    public class Names
    {
        [Fact]
        public void An_unknown_rule_is_answered_with_the_known_ones() => Assert.Contains(
            RobustRules.Bulyan,
            Assert.Throws<AggregationException>(() => RobustRules.Create<float>(null!, 1)).Message,
            StringComparison.Ordinal);

        [Fact]
        public void Mixing_does_not_mix_into_itself() => Assert.Throws<AggregationException>(() => RobustRules.Create<float>(
            new NearestNeighbourMixingOptions { Inner = new NearestNeighbourMixingOptions() }, 1));

        [Fact]
        public void Every_rule_carries_its_own_name() =>
            Assert.All(RobustRules.All, name => Assert.Equal(name, RobustRules.Create<float>(ThreeOfFifteen[name], 3).Name));

        [Fact]
        public void Config_reads_each_kind_back_as_it_was_written() => Assert.All(RobustRules.All, name =>
        {
            var json = JsonSerializer.Serialize<AggregatorOptions>(ThreeOfFifteen[name]);
            Assert.StartsWith($"{{\"kind\":\"{name}\"", json, StringComparison.Ordinal);
            Assert.Equal(ThreeOfFifteen[name], JsonSerializer.Deserialize<AggregatorOptions>(json));
        });

        [Fact]
        public void Rules_that_can_stream_do_where_an_aggregator_is_made()
        {
            var streaming = RobustRules.All.Where(name => Aggregators.Create<float>(ThreeOfFifteen[name], 3).IsStreaming);
            Assert.Empty(streaming);
            Assert.True(Aggregators.Create<float>(new NormBoundingOptions(), 3).IsStreaming);
            Assert.True(Aggregators.Create<float>(new CenteredClippingOptions(), 3).IsStreaming);
        }
    }
}
