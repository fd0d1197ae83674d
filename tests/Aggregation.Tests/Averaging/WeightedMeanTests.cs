using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Tests.Averaging;

public class WeightedMeanTests
{
    private static (double[] Result, CombineReport Report) Combine(WeightedMeanOptions options, params (double[] Delta, double Weight)[] updates)
    {
        var mean = new WeightedMean<double>(updates[0].Delta.Length, options);
        foreach (var (delta, weight) in updates)
        {
            mean.Add(new Contribution<double>(0, delta, weight));
        }

        var result = new double[updates[0].Delta.Length];
        var report = mean.Combine(result);

        var many = new double[result.Length];
        var same = mean.CombineMany([.. updates.Select(u => (ReadOnlyMemory<double>)u.Delta)], [.. updates.Select(u => u.Weight)], many, 2);
        Assert.Equal(result, many);
        Assert.Equal((report.Count, report.WeightSum), (same.Count, same.WeightSum));
        return (result, report);
    }

    public class Divides_by
    {
        [Fact]
        public void The_sum_of_weights_for_FedAvg()
        {
            var (result, report) = Combine(new WeightedMeanOptions(), ([1, 2], 10), ([5, -2], 30));
            Assert.Equal([4.0, -1.0], result);
            Assert.Equal((2, 1.0), (report.Count, report.WeightSum));
        }

        [Fact]
        public void The_number_of_updates_for_FedBuff()
        {
            var (result, report) = Combine(new WeightedMeanOptions { Normalisation = Normalisation.Count }, ([4, 8], 0.5), ([2, 0], 1));
            Assert.Equal([2.0, 2.0], result);
            Assert.Equal(0.75, report.WeightSum);
        }

        [Fact]
        public void A_given_number()
        {
            var (result, report) = Combine(new WeightedMeanOptions { Normalisation = Normalisation.Divisor, Divisor = 4 }, ([4, 8], 1), ([2, 0], 1));
            Assert.Equal([1.5, 2.0], result);
            Assert.Equal(0.5, report.WeightSum);
        }

        [Fact]
        public void Nothing()
        {
            var (result, report) = Combine(new WeightedMeanOptions { Normalisation = Normalisation.None }, ([4, 8], 0.25), ([2, 0], 1));
            Assert.Equal([3.0, 2.0], result);
            Assert.Equal(1.25, report.WeightSum);
        }
    }

    [Fact]
    public void A_client_without_examples_has_no_weight()
    {
        var (result, report) = Combine(new WeightedMeanOptions(), ([1], 2), ([1000], 0));
        Assert.Equal([1.0], result);
        Assert.Equal(2, report.Count);
    }

    [Fact]
    public void Weights_that_sum_to_nothing_have_no_mean()
    {
        var mean = new WeightedMean<float>(1);
        mean.Add(new Contribution<float>(0, [1f], 0));
        Assert.Contains("sum to 0", Assert.Throws<AggregationException>(() => mean.Combine(new float[1])).Message);
    }

    [Fact]
    public void Weights_must_not_be_negative_or_infinite()
    {
        var mean = new WeightedMean<float>(1);
        foreach (var weight in new[] { -1, double.NaN, double.PositiveInfinity })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => mean.Add(new Contribution<float>(0, [1f], weight)));
        }

        Assert.Equal(0, mean.Count);
    }

    [Fact]
    public void Added_and_held_updates_are_not_mixed()
    {
        var mean = new WeightedMean<float>(1);
        mean.Add(new Contribution<float>(0, [1f], 1));
        Assert.Throws<AggregationException>(() => mean.CombineMany([new float[1]], [1], new float[1]));
    }

    [Theory]
    [InlineData(Normalisation.Divisor, null, "set divisor")]
    [InlineData(Normalisation.Divisor, 0.0, "positive")]
    [InlineData(Normalisation.Divisor, double.NaN, "positive")]
    [InlineData(Normalisation.Count, 4.0, "remove divisor")]
    public void A_divisor_goes_with_normalisation_by_one_and_is_positive(Normalisation normalisation, double? divisor, string advice)
    {
        var options = new WeightedMeanOptions { Normalisation = normalisation, Divisor = divisor };
        Assert.Contains(advice, Assert.Throws<AggregationException>(() => new WeightedMean<float>(1, options)).Message);
        Assert.Contains(advice, Assert.Single(options.Validate(new ValidationContext(options))).ErrorMessage);
    }

    [Fact]
    public void An_update_can_come_in_pieces()
    {
        var mean = new WeightedMean<float>(4);
        var term = mean.Begin(new Contribution<float>(0, [], 3));
        term.AddSparse([1, 3], [2f, 4f]);
        term.Complete();
        mean.Add(new Contribution<float>(1, [4f, 2f, 0f, 0f], 1));
        var result = new float[4];
        Assert.Equal(2, mean.Combine(result).Count);
        Assert.Equal([1f, 2f, 0f, 3f], result);
    }
}
