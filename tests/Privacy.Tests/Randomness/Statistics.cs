namespace Federated.Privacy.Tests.Randomness;

/// <summary>Tests of laws, with the probability of a false alarm stated by each.</summary>
internal static class Statistics
{
    /// <summary>Two-sided normal quantile at false-alarm probability 1e-6.</summary>
    public const double Z = 4.892;

    /// <summary>Fails when the sample mean is further than 4.892 standard errors (false alarm 1e-6) from what it should be.</summary>
    public static void AssertMean(ReadOnlySpan<double> sample, double mean, double variance)
    {
        var deviation = Math.Abs(Mean(sample) - mean);
        var limit = (Z * Math.Sqrt(variance / sample.Length)) + 1e-12;
        Assert.True(deviation <= limit, $"mean is off by {deviation}, allowed {limit} (n={sample.Length}, mean {mean}, variance {variance})");
    }

    /// <summary>
    /// Fails when |S²/σ² − 1| exceeds 4.892·√((κ−1)/n), κ the kurtosis: false alarm 1e-6 (privacy.md §6.1).
    /// </summary>
    public static void AssertVariance(ReadOnlySpan<double> sample, double mean, double variance, double kurtosis = 3)
    {
        var ratio = Variance(sample, mean) / variance;
        var limit = (Z * Math.Sqrt(Math.Max(kurtosis - 1, 1e-4) / sample.Length)) + 1e-9;
        Assert.True(Math.Abs(ratio - 1) <= limit, $"variance ratio is {ratio}, allowed 1±{limit} (n={sample.Length}, variance {variance})");
    }

    /// <summary>Fails when a binomial count is further than 4.892 standard deviations (false alarm 1e-6) from n·p.</summary>
    public static void AssertProportion(long count, long trials, double probability)
    {
        var limit = (Z * Math.Sqrt(trials * probability * (1 - probability))) + 1;
        Assert.True(Math.Abs(count - (trials * probability)) <= limit, $"{count} of {trials} where {trials * probability} ± {limit} were expected");
    }

    /// <summary>
    /// Pearson's chi-square against exact probabilities, cells with expectation under 8 pooled; the limit is the Wilson–Hilferty
    /// approximation of the 1 − 1e-6 quantile.
    /// </summary>
    public static void AssertChiSquare(IReadOnlyList<long> observed, IReadOnlyList<double> probabilities)
    {
        var trials = observed.Sum();
        double statistic = 0, pooledExpected = 0;
        long pooledObserved = 0;
        var cells = 0;
        for (var i = 0; i < observed.Count; i++)
        {
            var expected = trials * probabilities[i];
            if (expected < 8)
            {
                pooledExpected += expected;
                pooledObserved += observed[i];
                continue;
            }

            statistic += Math.Pow(observed[i] - expected, 2) / expected;
            cells++;
        }

        if (pooledExpected >= 8)
        {
            statistic += Math.Pow(pooledObserved - pooledExpected, 2) / pooledExpected;
            cells++;
        }
        else
        {
            Assert.True(pooledObserved <= pooledExpected + (8 * Math.Sqrt(pooledExpected + 1)) + 12, $"{pooledObserved} draws in cells that expect {pooledExpected}");
        }

        var k = (double)Math.Max(1, cells - 1);
        var limit = k * Math.Pow(1 - (2 / (9 * k)) + (4.7534 * Math.Sqrt(2 / (9 * k))), 3);
        Assert.True(statistic <= limit, $"chi-square is {statistic} with {k} degrees of freedom, allowed {limit}");
    }

    /// <summary>Kolmogorov–Smirnov against an exact distribution function; the limit is the asymptotic 1 − 1e-6 quantile, 2.693/√n.</summary>
    public static void AssertDistribution(double[] sample, Func<double, double> cumulative)
    {
        var sorted = (double[])sample.Clone();
        Array.Sort(sorted);
        var worst = 0.0;
        for (var i = 0; i < sorted.Length; i++)
        {
            var f = cumulative(sorted[i]);
            worst = Math.Max(worst, Math.Max(f - ((double)i / sorted.Length), ((i + 1.0) / sorted.Length) - f));
        }

        var limit = 2.693 / Math.Sqrt(sample.Length);
        Assert.True(worst <= limit, $"the distribution function is off by {worst}, allowed {limit} (n={sample.Length})");
    }

    public static double Mean(ReadOnlySpan<double> sample)
    {
        double sum = 0;
        foreach (var x in sample)
        {
            sum += x;
        }

        return sum / sample.Length;
    }

    public static double Variance(ReadOnlySpan<double> sample, double mean)
    {
        double sum = 0;
        foreach (var x in sample)
        {
            sum += (x - mean) * (x - mean);
        }

        return sum / sample.Length;
    }

    /// <summary>Φ(x) to 1e-7, enough for tests of samples (Abramowitz and Stegun 26.2.17).</summary>
    public static double NormalCdf(double x)
    {
        var t = 1 / (1 + (0.2316419 * Math.Abs(x)));
        var tail = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI) * t *
            (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return x >= 0 ? 1 - tail : tail;
    }
}
