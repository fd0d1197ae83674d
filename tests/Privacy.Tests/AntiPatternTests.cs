using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Audit;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests;

/// <summary>Mistakes seen in public code (privacy.md §8), each with the test that keeps it out of here. Those of accounting stand with the accountants.</summary>
public sealed class AntiPatternTests
{
    [Fact]
    public void No_privacy_code_draws_from_System_Random_or_an_unseen_clock()
    {
        // Number 1 and 2: Random(42), MT19937. The whole assembly's references, not the source: what is compiled in counts.
        using var file = File.OpenRead(typeof(L2Clip).Assembly.Location);
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        var references = metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Select(t => $"{metadata.GetString(t.Namespace)}.{metadata.GetString(t.Name)}").ToHashSet();
        Assert.DoesNotContain("System.Random", references);
        Assert.DoesNotContain("System.DateTime", references);
        Assert.DoesNotContain("System.Diagnostics.Stopwatch", references);
        Assert.Contains("System.Security.Cryptography.RandomNumberGenerator", references);
    }

    [Fact]
    public void Only_the_simulation_source_takes_a_seed()
    {
        var seeded = typeof(IRandomSource).Assembly.GetTypes()
            .Where(t => t.IsPublic && typeof(IRandomSource).IsAssignableFrom(t) && t is { IsInterface: false })
            .Where(t => t.GetConstructors().Any(c => c.GetParameters().Any(p => p.ParameterType == typeof(ulong) || p.ParameterType == typeof(int))));
        Assert.Equal([typeof(SimulationRandom)], seeded);
    }

    [Theory]
    [InlineData(0.3, -0.3)]
    [InlineData(1, 0.999)]
    public void Released_values_are_on_one_grid_whatever_the_data(double one, double other)
    {
        // Number 1: Box–Muller noise in floating point, whose last bits tell what was hidden. Here both data sets reach the same grid points only.
        foreach (var value in (double[])[one, other])
        {
            using var random = new SimulationRandom(224);
            var mechanism = new DpFedAvg<double>(new DpFedAvgOptions { ClipNorm = 1, NoiseMultiplier = 1.3, ExpectedCohort = 8 }, random);
            double[] sum = [.. Enumerable.Repeat(value, 2000)];
            mechanism.Release(sum);
            Assert.All(sum, x => Assert.True(double.IsInteger(x * 8 / mechanism.GridStep)));
        }
    }

    [Fact]
    public void Renyi_accounting_knows_of_the_sampling()
    {
        // Number 1: an accountant that ignores q; and the other way round, one that assumes it where there is none.
        var accountant = new RdpAccountant();
        var gaussian = new GaussianEvent(NeighbourRelation.AddRemoveClient, 1);
        Assert.InRange(accountant.Epsilon(new PoissonSampledEvent(0.01, gaussian).Repeated(1000), 1e-5), 2, 2.2);
        Assert.InRange(accountant.Epsilon(gaussian.Repeated(1000), 1e-5), 500, 1000);
    }

    [Fact]
    public void Both_directions_of_a_pair_are_evaluated()
    {
        // Number 3: max(x, x) for max(x, y). Unfair noise bits are asymmetric: the two directions differ by 7 % here.
        var both = ShuffledSum.Delta(40, 0.25, 3, 0.5);
        double[] each = [Direction(up: true), Direction(up: false)];
        Assert.Equal(each.Max(), both, 1e-12);
        Assert.True(each.Max() > 1.05 * each.Min(), string.Join(' ', each));

        static double Direction(bool up)
        {
            double Pmf(int x) => x is < 0 or > 40 ? 0 : BinomialDistribution.Pmf(x, 40, 0.25);
            return Enumerable.Range(0, 44).Sum(x => Math.Max(0, (up ? Pmf(x - 3) : Pmf(x)) - (Math.Exp(0.5) * (up ? Pmf(x) : Pmf(x - 3)))));
        }
    }

    [Fact]
    public void Clipping_does_not_depend_on_the_data()
    {
        // Number 1: a bound of max(norm, 1) lets a vector of norm ½ pass a bound of 0.1.
        double[] vector = [0.3, 0.4];
        L2Clip.Apply(vector.AsSpan(), 0.1);
        Assert.Equal(0.1, L2Clip.Norm<double>(vector), 1e-6);
    }

    [Fact]
    public void Shuffling_amplifies_by_a_theorem_and_not_by_an_invented_formula()
    {
        // Number 1: min(ln …, ε√(ln(1/δ)/n)) falls below what is provably needed: here below the exact bound by a third.
        var exact = ShuffleAmplification.Epsilon(ShuffleBound.Fmt23, LocalRandomizer.Generic(1), 1000, 1e-5);
        var invented = 1 * Math.Sqrt(Math.Log(1e5) / 1000);
        Assert.True(invented < exact * 0.9, $"{invented} against {exact}");
        Assert.Equal(0.12504, exact, 1e-5);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(12)]
    public void Rejection_in_PrivUnitG_has_no_cap(double epsilon)
    {
        // Number 4: after 25 failures published code returns the unconditioned Gaussian, which falls into the cap with q and not with p.
        var randomizer = new PrivUnitG<double>(epsilon, 2);
        using var random = new SimulationRandom(221);
        var report = new double[2];
        long hits = 0;
        for (var i = 0; i < 4000; i++)
        {
            randomizer.Randomize([1, 0], report, random);
            hits += report[0] >= randomizer.Gamma * randomizer.Sigma ? 1 : 0;
        }

        Statistics.AssertProportion(hits, 4000, randomizer.CapProbability);
        Assert.True(NormalDistribution.UpperTail(randomizer.Gamma) < 0.02);
    }

    [Fact]
    public void The_projection_of_ProjUnit_treats_every_direction_alike()
    {
        // Number 4: a rotation made from uniform [0, 1) entries favours the diagonal. Here each axis is projected alike: E‖W e_j‖² = k/d.
        const int d = 8, n = 1500;
        var randomizer = new ProjUnit<double>(20, d, 4);
        using var random = new SimulationRandom(222);
        var sums = new double[d];
        var report = new double[d];
        double[] diagonal = [.. Enumerable.Repeat(1 / Math.Sqrt(d), d)];
        for (var i = 0; i < n; i++)
        {
            randomizer.Randomize(diagonal, report, random);
            for (var j = 0; j < d; j++)
            {
                sums[j] += report[j] / n;
            }
        }

        // Error a coordinate: √(MSE/d/n) ≈ 0.015; false alarm below 1e-6 at 0.1.
        Assert.All(sums, s => Assert.Equal(1 / Math.Sqrt(d), s, 0.1));
    }

    [Fact]
    public void The_one_run_audit_keeps_its_delta_term() => // number 5
        Assert.Equal(2.6909965, OneRunBound.EpsilonLowerBound(10_000, 1000, 950, 1e-5, 0.05), 1e-6);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(100)]
    public void Duchi_on_an_even_cube_costs_epsilon_and_not_more(int dimension) => // number 6
        Assert.InRange(new DuchiHypercube(0.5, dimension).Epsilon, 0.5 - 1e-9, 0.5);

    [Fact]
    public void The_noise_of_shuffled_sums_is_computed_and_not_tuned()
    {
        // Number 10: b = g² ln²(4(d²+1)/δ)/(ε²n) with the constant set to 1 is unproven, and for a vector of this shape too small by the exact sum.
        var computed = VectorSum.ForGuarantee(2, 1, 16, 100, 1, 1e-6);
        var trials = 100L * computed.NoiseBitsPerClient;
        Assert.True(ShuffledSum.Epsilon(trials, 0.5, (long)Math.Ceiling(computed.IntegerSensitivity), 1e-6) <= 1);
        Assert.True(ShuffledSum.Epsilon(trials * 8 / 10, 0.5, (long)Math.Ceiling(computed.IntegerSensitivity), 1e-6) > 1);
    }

    [Fact]
    public void The_local_Gaussian_has_twice_the_sensitivity_of_the_central_one()
    {
        // The √2 and the 2 that published code forgets: any two updates are neighbours.
        var randomizer = new LocalGaussian<double>(1, 1e-5, 0.5);
        Assert.Equal(2 * 0.5 * AnalyticGaussian.NoiseMultiplier(1, 1e-5), randomizer.Deviation, 1e-12);
        using var random = new SimulationRandom(223);
        var vector = new double[15_000];
        vector[0] = double.NaN;
        Assert.False(randomizer.Randomize(vector, random).WasFinite);
        Statistics.AssertVariance(vector, 0, Math.Pow(randomizer.Deviation, 2));
        Array.Fill(vector, 100);
        randomizer.Randomize(vector, random);
        Statistics.AssertMean(vector, 0.5 / Math.Sqrt(15_000), Math.Pow(randomizer.Deviation, 2));
    }
}
