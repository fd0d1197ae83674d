using Federated.Aggregation.Compression;
using static Federated.Aggregation.Tests.Compression.CodecTesting;

namespace Federated.Aggregation.Tests.Compression;

/// <summary>Bias, variance and contraction, measured against what each codec states.</summary>
public class CodecGuaranteeTests
{
    public static TheoryData<string> Names => CodecTesting.Names;

    public static TheoryData<string> Unbiased => [.. All.Where(name => Codec<float>(name).Guarantee(300).IsUnbiased)];

    /// <summary>
    /// Bernstein's inequality with t = 20, for each coordinate and for the sum in the update's own direction (which a shrinking bias moves
    /// most): |mean error| ≤ √(2tv/R) + 2th/(3R), v being the variance of one trial and h the largest error. Between two levels at
    /// distances a and b the variance is a·b, so at most (smallest error seen)·h. False alarm: 2e⁻²⁰ each, 1.3e-6 per codec; seeds are fixed.
    /// </summary>
    [Theory]
    [MemberData(nameof(Unbiased))]
    public void An_unbiased_codec_is_right_on_average(string name)
    {
        const int d = 300;
        const int trials = 3000;
        var codec = Codec<float>(name);
        var x = Update(d);
        var (sum, nearest) = (new double[d], Enumerable.Repeat(double.MaxValue, d).ToArray());
        var largest = 0.0;
        for (var r = 0; r < trials; r++)
        {
            var decoded = codec.Decode(codec.Encode(x, (ulong)r), d);
            for (var j = 0; j < d; j++)
            {
                var error = (double)decoded[j] - x[j];
                sum[j] += error;
                nearest[j] = Math.Min(nearest[j], Math.Abs(error));
                largest = Math.Max(largest, Math.Abs(error));
            }
        }

        static double Allowed(double variance, double largest) => Math.Sqrt(40 * variance / trials) + (40 * largest / 3 / trials) + 1e-6;
        for (var j = 0; j < d; j++)
        {
            Assert.True(Math.Abs(sum[j] / trials) <= Allowed(nearest[j] * largest, largest), $"coordinate {j}: off by {sum[j] / trials}");
        }

        // Rounding errors of coordinates are independent; random-k samples without replacement, for which Bernstein holds too (Hoeffding 1963).
        var drift = sum.Select((s, j) => Math.Sign(x[j]) * s / trials).Sum();
        Assert.True(Math.Abs(drift) <= Allowed(nearest.Sum() * largest, largest), $"off by {drift} along the update");
    }

    /// <summary>The mean of ‖C(x) − x‖² over R trials keeps to the stated bounds, with 6 standard errors of room (false alarm 1e-9 each).</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Variance_and_contraction_hold(string name)
    {
        const int d = 2000;
        const int trials = 80;
        var codec = Codec<float>(name);
        var guarantee = codec.Guarantee(d);
        foreach (var x in new[] { Update(d), Enumerable.Repeat(0.01f, d).ToArray(), [.. Enumerable.Range(0, d).Select(j => j == 77 ? 5f : 0)] })
        {
            var errors = new double[trials];
            for (var r = 0; r < trials; r++)
            {
                errors[r] = SquaredDistance(codec.Decode(codec.Encode(x, (ulong)r), d), x) / SquaredNorm(x);
            }

            var mean = errors.Average();
            var room = (6 * Math.Sqrt(errors.Sum(e => (e - mean) * (e - mean)) / trials / trials)) + 1e-6;
            Assert.True(mean <= guarantee.Variance + room, $"variance {mean}, stated {guarantee.Variance}");
            if (guarantee.Contraction > 0)
            {
                Assert.True(mean <= 1 - guarantee.Contraction + room, $"error {mean}, stated {1 - guarantee.Contraction}");
            }
        }
    }

    [Theory]
    [InlineData("top-k 1 %")]
    [InlineData("top-k 30 %")]
    [InlineData("top-k all")]
    public void Top_k_contracts_every_single_time(string name)
    {
        var codec = Codec<float>(name);
        for (ulong seed = 0; seed < 50; seed++)
        {
            var x = Update(733, seed);
            Assert.True(SquaredDistance(codec.Decode(codec.Encode(x), 733), x) <= (1 - codec.Guarantee(733).Contraction) * SquaredNorm(x) * (1 + 1e-12));
        }
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("top-k all")]
    [InlineData("random-k all")]
    public void Everything_kept_is_lossless(string name)
    {
        var x = Update(1234);
        Assert.Equal(x, Codec<float>(name).Decode(Codec<float>(name).Encode(x), 1234));
    }

    [Fact]
    public void What_is_not_contractive_says_so()
    {
        Assert.Equal(0, Codec<float>("random-k 10 %").Guarantee(1000).Contraction);
        Assert.Equal(0, Codec<float>("uniform 1").Guarantee(1000).Contraction);
        Assert.Equal(0.1, Codec<float>("random-k 10 % biased").Guarantee(1000).Contraction, 12);
        Assert.Equal(1.0 / 64, Codec<float>("uniform 1 contractive").Guarantee(1000).Contraction, 12);
        Assert.Equal(new CodecGuarantee(true, Math.Sqrt(64), 0), Codec<float>("qsgd 1").Guarantee(1000));
    }
}
