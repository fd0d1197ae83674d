using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust;
using static Federated.Aggregation.Tests.Robust.RobustTesting;

namespace Federated.Aggregation.Tests.Robust;

/// <summary>What holds for every rule, by name.</summary>
public class RobustRulePropertyTests
{
    private const int N = 15;
    private const int F = 3;

    public static TheoryData<string> Names => RuleNames;

    /// <summary>All but those that are anchored: at the model, and at the last aggregate.</summary>
    public static TheoryData<string> Free => [.. RobustRules.All.Where(name => name is not (RobustRules.NormBounding or RobustRules.CenteredClipping))];

    public static TheoryData<string> CoordinateWise => CoordinateWiseNames;

    [Theory]
    [MemberData(nameof(Names))]
    public void The_number_of_threads_changes_no_bit(string name)
    {
        var x = Normal(1, N, 33_007);
        var one = Combine<float>(name, x, threads: 1);
        Assert.Equal(one, Combine<float>(name, x, threads: 2));
        Assert.Equal(one, Combine<float>(name, x, threads: 5));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_order_of_updates_matters_only_to_rounding(string name)
    {
        var x = Normal(2, N, 300);
        for (ulong seed = 0; seed < 5; seed++)
        {
            Close(Combine<double>(name, x), Combine<double>(name, Permuted(x, seed)), 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(CoordinateWise))]
    public void The_order_of_updates_changes_no_bit_of_a_coordinate_wise_rule(string name)
    {
        var x = Normal(3, N, 300);
        x[0][0] = 0.0;
        x[1][0] = -0.0;
        for (ulong seed = 0; seed < 20; seed++)
        {
            var bits = Combine<float>(name, Permuted(x, seed)).Select(BitConverter.DoubleToInt64Bits);
            Assert.Equal(Combine<float>(name, x).Select(BitConverter.DoubleToInt64Bits), bits);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Scaling_the_updates_scales_the_result(string name)
    {
        // A fixed radius or length does not scale with the updates: those rules are scaled together with their options.
        var x = Normal(4, N, 200);
        var scaled = x.Select(v => v.Select(c => c * 8).ToArray()).ToArray();
        var options = ThreeOfFifteen[name] switch
        {
            CenteredClippingOptions o => o with { Radius = o.Radius * 8 },
            GeometricMedianOptions o => o with { Smoothing = o.Smoothing * 8 },
            var o => o,
        };
        var expected = Combine<double>(name, x).Select(c => c * 8).ToArray();
        Close(expected, Combine(RobustRules.Create<double>(options, 200), scaled), 1e-12);
    }

    [Theory]
    [MemberData(nameof(Free))]
    public void Shifting_the_updates_shifts_the_result(string name)
    {
        var x = Normal(5, N, 200);
        var shifted = x.Select(v => v.Select((c, j) => c + j - 100).ToArray()).ToArray();
        Close(Combine<double>(name, x).Select((c, j) => c + j - 100).ToArray(), Combine<double>(name, shifted), 1e-9);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Equal_updates_are_returned_as_they_are(string name)
    {
        var one = Normal(6, 1, 100)[0].Select(c => c / 10).ToArray();
        var x = Enumerable.Repeat(one, N).ToArray();
        Close(one, Combine<double>(name, x), 1e-14);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void As_many_arbitrary_updates_as_it_tolerates_cannot_carry_it_away(string name)
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            var x = Attacked(seed, out var honest);
            var rule = RobustRules.Create<double>(ThreeOfFifteen[name], x[0].Length);
            Assert.True(rule.Tolerates(N) >= F, $"{name} tolerates {rule.Tolerates(N)}");
            var result = Combine(rule, x);

            // Radius of the honest updates around their mean; every rule's bound is a small multiple of it.
            var centre = NaiveRules.Mean(honest);
            var radius = honest.Max(h => NaiveRules.Distance(h, centre));
            var moved = NaiveRules.Distance(result, centre);
            Assert.True(moved <= 4 * radius, $"{name}, seed {seed}: {moved} from the honest mean, honest radius {radius}");
        }
    }

    [Fact]
    public void One_arbitrary_update_carries_a_plain_mean_away()
    {
        var x = Attacked(2, out var honest);
        var centre = NaiveRules.Mean(honest);
        Assert.True(NaiveRules.Distance(NaiveRules.Mean(x), centre) > 1e6);
    }

    [Theory]
    [InlineData(RobustRules.Median)]
    [InlineData(RobustRules.TrimmedMean)]
    [InlineData(RobustRules.Bulyan)]
    public void Every_coordinate_stays_within_the_honest_range(string name)
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            var x = Attacked(seed, out var honest);
            var result = Combine<double>(name, x);
            for (var j = 0; j < result.Length; j++)
            {
                Assert.InRange(result[j], honest.Min(h => h[j]) - 1e-12, honest.Max(h => h[j]) + 1e-12);
            }
        }
    }

    [Theory]
    [InlineData(RobustRules.Krum)]
    [InlineData(RobustRules.MultiKrum)]
    [InlineData(RobustRules.Bulyan)]
    [InlineData(RobustRules.NearestNeighbourAveraging)]
    public void Far_outliers_are_named_as_left_out(string name)
    {
        var x = Normal(21, N, 50);
        foreach (var i in new[] { 1, 7, 11 })
        {
            x[i] = [.. x[i].Select(c => (c * 1e6) + 1e9)];
        }

        var held = new HeldUpdates<double>([.. x.Select(v => (ReadOnlyMemory<double>)v)]);
        var outcome = RobustRules.Create<double>(ThreeOfFifteen[name], 50).Combine(held, new double[50]);
        Assert.Superset(new HashSet<int> { 1, 7, 11 }, outcome.LeftOut.Select(left => left.Index).ToHashSet());
        Assert.Equal(N, outcome.Used + outcome.LeftOut.Count);
    }

    // Three of fifteen are an attacker's: huge, colluding, or hidden inside the crowd with one huge coordinate.
    private static double[][] Attacked(ulong seed, out double[][] honest)
    {
        var x = Normal(seed + 100, N, 64);
        var random = SeededRandom.Derive(seed, "attack");
        var order = RobustTesting.Permuted([.. Enumerable.Range(0, N).Select(i => new double[] { i })], seed).Select(v => (int)v[0]).ToArray();
        foreach (var i in order.Take(F))
        {
            x[i] = (seed % 4) switch
            {
                0 => [.. x[i].Select(c => c * 1e12)],
                1 => Enumerable.Repeat(-1e3, 64).ToArray(),
                2 => [.. x[order[^1]].Select((c, j) => j == 5 ? 1e9 : c)],
                _ => [.. x[i].Select(_ => random.NextNormal(0, 1e30))],
            };
        }

        honest = [.. order.Skip(F).Select(i => x[i])];
        return x;
    }
}
