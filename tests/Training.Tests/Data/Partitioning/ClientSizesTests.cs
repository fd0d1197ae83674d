using Federated.Aggregation.Randomness;
using Federated.Training.Data.Partitioning;

namespace Federated.Training.Tests.Data.Partitioning;

public static class ClientSizesTests
{
    private static int[] Sizes(ClientSizes sizes, int examples, int clients, ulong seed = 1) =>
        [.. Partitioners.Create(new QuantitySkewPartition { Sizes = sizes })
            .Partition(Labels.Balanced(2, examples / 2), 2, clients, new SeededRandom(seed)).Select(s => s.Length)];

    [Fact]
    public static void Lognormal_sizes_have_the_asked_spread_of_logarithms()
    {
        // 2000 clients of 500 on average, so rounding is small. The standard error of a standard deviation is σ/√(2n) = 1.6 %; five are 8 %
        // (false alarm below 1e-6), and rounding of the smallest clients takes a little.
        var logs = Sizes(new LogNormalSizes { Sigma = 0.8 }, 1_000_000, 2000).Select(n => Math.Log(n)).ToArray();
        var mean = logs.Average();

        Assert.InRange(Math.Sqrt(logs.Average(x => (x - mean) * (x - mean))), 0.8 * 0.91, 0.8 * 1.09);
    }

    [Fact]
    public static void Power_law_sizes_have_the_asked_tail()
    {
        // Hill's estimator over the 200 largest of 2000: the density exponent a = 1 + 1/mean(log(x/x₂₀₀)), standard error (a − 1)/√200 =
        // 0.106 for a = 2.5; four are 0.42 (false alarm 1e-4).
        var largest = Sizes(new PowerLawSizes { Exponent = 2.5 }, 1_000_000, 2000).OrderDescending().Take(201).ToArray();
        var hill = 1 + (1 / largest.Take(200).Average(x => Math.Log((double)x / largest[200])));

        Assert.InRange(hill, 2.08, 2.92);
    }

    [Fact]
    public static void Dirichlet_sizes_have_the_moments_of_a_dirichlet()
    {
        // Var of a share: (1/N)(1 − 1/N)/(αN + 1). One draw of 2000 clients; relative standard error of the variance of Gamma(0.5) about
        // √((κ − 1)/2000) with kurtosis κ = 15: 8.4 %; four are 34 % (false alarm 1e-4).
        var shares = Sizes(new DirichletSizes { Alpha = 0.5 }, 1_000_000, 2000).Select(n => n / 1e6).ToArray();
        var variance = shares.Average(s => Math.Pow(s - (1.0 / 2000), 2));

        Assert.InRange(variance / (1.0 / 2000 * (1 - (1.0 / 2000)) / 1001), 0.66, 1.34);
    }

    [Fact]
    public static void The_minimum_is_kept_and_all_examples_are_used()
    {
        var sizes = Sizes(new LogNormalSizes { Sigma = 5, MinExamples = 30 }, 10_000, 100);

        Assert.Equal(10_000, sizes.Sum());
        Assert.Equal(30, sizes.Min());
    }

    [Fact]
    public static void Sigma_zero_is_equal_sizes() => Assert.All(Sizes(new LogNormalSizes { Sigma = 0 }, 10_000, 100), n => Assert.Equal(100, n));

    [Fact]
    public static void A_minimum_beyond_the_examples_is_an_error() =>
        Assert.Contains(
            "100 clients with at least 101 examples each need 10100; the training set has 10000",
            Assert.Throws<TrainingException>(() => Sizes(new PowerLawSizes { MinExamples = 101 }, 10_000, 100)).Message,
            StringComparison.Ordinal);
}
