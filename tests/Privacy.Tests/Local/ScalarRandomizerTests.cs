using System.Numerics;
using Federated.Privacy.Local;
using Federated.Privacy.Local.Scalars;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Local;

public static class ScalarRandomizerTests
{
    public sealed class Every_randomiser
    {
        public static TheoryData<string, double, double> Cases
        {
            get
            {
                var data = new TheoryData<string, double, double>();
                foreach (var name in ScalarRandomizers.All)
                {
                    foreach (var epsilon in new[] { 0.5, 1, 4 })
                    {
                        foreach (var value in new[] { 0.0, 0.5, -1.0 })
                        {
                            data.Add(name, epsilon, value);
                        }
                    }
                }

                return data;
            }
        }

        [Theory]
        [MemberData(nameof(Cases))]
        public void Is_unbiased_with_its_stated_variance(string name, double epsilon, double value)
        {
            var randomizer = ScalarRandomizers.Create(name, epsilon);
            using var random = SimulationRandom.Derive(101, name, (long)(epsilon * 10), (long)(value * 10));
            var sample = new double[35_000]; // catches a deviation off by 5 % with Laplace tails (privacy.md §6.1)
            for (var i = 0; i < sample.Length; i++)
            {
                sample[i] = randomizer.Randomize(value, random);
                Assert.True(Math.Abs(sample[i]) <= randomizer.OutputBound);
            }

            var variance = randomizer.Variance(value);
            Statistics.AssertMean(sample, value, variance);
            Statistics.AssertVariance(sample, value, variance, kurtosis: name == ScalarRandomizers.Laplace ? 6 : 4);
        }

        [Theory]
        [InlineData(ScalarRandomizers.Laplace)]
        [InlineData(ScalarRandomizers.Duchi)]
        [InlineData(ScalarRandomizers.Piecewise)]
        [InlineData(ScalarRandomizers.Hybrid)]
        public void Declares_a_parameter_just_below_the_one_asked_for(string name)
        {
            foreach (var epsilon in new[] { 0.001, 0.1, 1, 5, 20 })
            {
                Assert.InRange(ScalarRandomizers.Create(name, epsilon).Epsilon, epsilon * (1 - 1e-6), epsilon);
            }
        }

        [Theory]
        [InlineData(1.0000001)]
        [InlineData(double.NaN)]
        public void Refuses_values_outside_its_domain(double value)
        {
            using var random = new SimulationRandom(102);
            Assert.All(ScalarRandomizers.All, name => Assert.Throws<PrivacyException>(() => ScalarRandomizers.Create(name, 1).Randomize(value, random)));
            Assert.Throws<PrivacyException>(() => ScalarRandomizers.Create(ScalarRandomizers.Duchi, 0));
        }
    }

    public sealed class Reference_variances
    {
        [Theory]
        [InlineData(ScalarRandomizers.Hybrid, 1, 0, 4.288992493)]
        [InlineData(ScalarRandomizers.Hybrid, 2, 1, 1.042336342)]
        [InlineData(ScalarRandomizers.Piecewise, 4, 1, 0.241353887)]
        [InlineData(ScalarRandomizers.Duchi, 1, 0.5, 4.432694377)]
        [InlineData(ScalarRandomizers.Laplace, 2, 0, 2)]
        public void Are_met(string name, double epsilon, double value, double variance) =>
            Assert.Equal(variance, ScalarRandomizers.Create(name, epsilon).Variance(value), variance * 1e-9);

        [Fact]
        public void Of_ldp_numeric_mean_csv_are_met()
        {
            foreach (var row in VectorFile.ReadIfThere("ldp_numeric_mean"))
            {
                var name = row["mechanism"] switch { "PM" => "piecewise", "HM" => "hybrid", "Duchi" => "duchi", _ => "laplace" };
                var randomizer = ScalarRandomizers.Create(name, row.Number("eps"));
                foreach (var (column, value) in new[] { ("var_t0", 0.0), ("var_t05", 0.5), ("var_t1", 1.0) })
                {
                    Assert.Equal(row.Number(column), randomizer.Variance(value), row.Number(column) * 1e-9);
                }
            }
        }
    }

    public sealed class The_bit
    {
        [Fact]
        public void Lies_with_the_probability_that_its_parameter_says()
        {
            foreach (var epsilon in new[] { 0.01, 0.5, 1, 3, 10, 30 })
            {
                var response = new BinaryResponse(epsilon);
                var exact = Math.Log((1 - response.FlipProbability) / response.FlipProbability);
                Assert.Equal(exact, response.Epsilon, 1e-9);
                Assert.InRange(response.Epsilon, epsilon - 1e-6, epsilon);
                Assert.Equal(Math.Tanh(epsilon / 2), response.Contrast, 1e-12);
            }
        }

        [Theory]
        [InlineData(0.5)]
        [InlineData(2)]
        public void Lies_that_often(double epsilon)
        {
            var response = new BinaryResponse(epsilon);
            using var random = new SimulationRandom(103);
            long lies = 0;
            for (var i = 0; i < 50_000; i++)
            {
                lies += response.Randomize(i % 2 == 0, random) == (i % 2 == 0) ? 0 : 1;
            }

            Statistics.AssertProportion(lies, 50_000, 1 / (Math.Exp(epsilon) + 1));
        }

        [Fact]
        public void Of_Duchi_leans_by_half_the_value_times_the_contrast()
        {
            var randomizer = new DuchiRandomizer(1);
            using var random = new SimulationRandom(104);
            long positive = 0;
            for (var i = 0; i < 50_000; i++)
            {
                positive += randomizer.Randomize(0.6, random) > 0 ? 1 : 0;
            }

            Statistics.AssertProportion(positive, 50_000, 0.5 + (0.6 * (Math.E - 1) / (2 * (Math.E + 1))));
        }
    }

    public sealed class The_piecewise_mechanism
    {
        [Theory]
        [InlineData(0.01)]
        [InlineData(0.5)]
        [InlineData(1)]
        [InlineData(4)]
        [InlineData(12)]
        public void Costs_exactly_epsilon_in_integers(double epsilon)
        {
            // A cell has one of two probabilities, (2⁶⁴ − T)/W and T/R in units of 2⁻⁶⁴, wherever the window lies: their ratio is the worst there is.
            var randomizer = new PiecewiseRandomizer(epsilon);
            var (window, rest, outside) = randomizer.Law;
            var ratio = BigInteger.Log(((BigInteger.One << 64) - outside) * rest) - BigInteger.Log((BigInteger)outside * window);
            Assert.Equal(randomizer.Epsilon, ratio, 1e-12);
            Assert.InRange(ratio, epsilon * (1 - 1e-6), epsilon);
        }

        [Theory]
        [InlineData(0.3)]
        [InlineData(-1)]
        public void Has_its_density(double value)
        {
            const double epsilon = 1.5;
            var randomizer = new PiecewiseRandomizer(epsilon);
            using var random = new SimulationRandom(105);
            var sample = new double[40_000];
            for (var i = 0; i < sample.Length; i++)
            {
                sample[i] = randomizer.Randomize(value, random);
            }

            var s = Math.Exp(epsilon / 2);
            var c = (s + 1) / (s - 1);
            var left = ((c + 1) * value / 2) - ((c - 1) / 2);
            var right = left + c - 1;
            Assert.Equal(c, randomizer.OutputBound, 1e-9);
            var inside = s / (s + 1) / (c - 1);
            var outside = 1 / (s + 1) / (c + 1);
            Statistics.AssertDistribution(sample, x =>
                (outside * (Math.Min(x, left) + c)) + (inside * Math.Clamp(x - left, 0, right - left)) + (outside * Math.Max(0, x - right)));
            Assert.Equal(epsilon, Math.Log(inside / outside), 1e-9);
        }
    }
}
