using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Local;

public static class UnitVectorRandomizerTests
{
    private static double[] Unit(int d, ulong seed)
    {
        using var random = new SimulationRandom(seed);
        var u = new double[d];
        GaussianSampler.Fill(u.AsSpan(), 1, random);
        var norm = L2Clip.Norm<double>(u);
        return [.. u.Select(x => x / norm)];
    }

    public sealed class Every_randomiser
    {
        public static TheoryData<string, double, int> Cases
        {
            get
            {
                var data = new TheoryData<string, double, int>();
                foreach (var name in UnitVectorRandomizers.All)
                {
                    data.Add(name, 1, 16);
                    data.Add(name, 6, 16);
                    data.Add(name, 2, 3);
                }

                return data;
            }
        }

        [Theory]
        [MemberData(nameof(Cases))]
        public void Is_unbiased_with_its_stated_error(string name, double epsilon, int d)
        {
            const int n = 8000;
            var randomizer = UnitVectorRandomizers.Create<double>(name, epsilon, d);
            var u = Unit(d, 111);
            using var random = SimulationRandom.Derive(112, name, (long)epsilon, d);
            var along = new double[n];
            var across = new double[n];
            var errors = new double[n];
            var other = Orthogonal(u);
            var report = new double[d];
            for (var i = 0; i < n; i++)
            {
                randomizer.Randomize(u, report, random);
                along[i] = VectorMath.Dot<double>(report, u);
                across[i] = VectorMath.Dot<double>(report, other);
                errors[i] = report.Zip(u, (x, y) => (x - y) * (x - y)).Sum();
            }

            Statistics.AssertMean(along, 1, Statistics.Variance(along, Statistics.Mean(along)));
            Statistics.AssertMean(across, 0, Statistics.Variance(across, 0));
            var spread = Statistics.Variance(errors, Statistics.Mean(errors));
            if (name == UnitVectorRandomizers.ProjUnit && d == 3)
            {
                // Padding to four coordinates and dropping one: the stated error is an upper bound.
                Assert.True(Statistics.Mean(errors) <= randomizer.MeanSquaredError + (Statistics.Z * Math.Sqrt(spread / n)));
                return;
            }

            Statistics.AssertMean(errors, randomizer.MeanSquaredError, spread + 1e-6);
        }

        [Theory]
        [MemberData(nameof(Cases))]
        public void Declares_a_parameter_just_below_the_one_asked_for(string name, double epsilon, int d) =>
            Assert.InRange(UnitVectorRandomizers.Create<float>(name, epsilon, d).Epsilon, epsilon * (1 - 1e-6), epsilon + 1e-12);

        [Fact]
        public void Refuses_vectors_that_are_not_unit()
        {
            using var random = new SimulationRandom(113);
            foreach (var name in UnitVectorRandomizers.All)
            {
                var randomizer = UnitVectorRandomizers.Create<double>(name, 1, 4);
                Assert.Throws<PrivacyException>(() => randomizer.Randomize([0.5, 0, 0, 0], new double[4], random));
                Assert.Throws<PrivacyException>(() => randomizer.Randomize([1, 0, 0], new double[3], random));
                Assert.Throws<PrivacyException>(() => randomizer.Randomize([double.NaN, 0, 0, 0], new double[4], random));
            }
        }

        private static double[] Orthogonal(double[] u)
        {
            var other = Unit(u.Length, 114);
            var along = VectorMath.Dot<double>(u, other);
            double[] v = [.. other.Zip(u, (x, y) => x - (along * y))];
            var norm = L2Clip.Norm<double>(v);
            return [.. v.Select(x => x / norm)];
        }
    }

    public sealed class Reference_values
    {
        [Theory]
        [InlineData(0.5, 0.5452292511, 0.1992844462, 5.017953029)]
        [InlineData(1, 0.5893257286, 0.3974630092, 2.515957394)]
        [InlineData(4, 0.7909458072, 1.515637659, 0.6597883036)]
        [InlineData(8, 0.9010232181, 2.742944794, 0.3645716835)]
        public void Of_PrivUnitG_are_met(double epsilon, double p, double gamma, double sigma)
        {
            var randomizer = new PrivUnitG<float>(epsilon, 1000);
            Assert.Equal(p, randomizer.CapProbability, 1e-6);
            Assert.Equal(gamma, randomizer.Gamma, 1e-6);
            Assert.Equal(sigma, randomizer.Sigma, sigma * 1e-9);
            var q = NormalDistribution.UpperTail(randomizer.Gamma);
            Assert.Equal(epsilon, Math.Log(randomizer.CapProbability * (1 - q) / (q * (1 - randomizer.CapProbability))), 1e-9);
        }

        [Fact]
        public void Of_ldp_vector_privunit_csv_are_met()
        {
            foreach (var row in VectorFile.ReadIfThere("ldp_vector_privunit"))
            {
                var (d, epsilon) = (row.Integer("d"), row.Number("eps"));
                var cap = new PrivUnit<double>(epsilon, d);
                Assert.Equal(row.Number("pu_mse"), cap.MeanSquaredError, row.Number("pu_mse") * 1e-6);
                Assert.Equal(row.Number("pu_inv_m"), cap.ReportNorm, row.Number("pu_inv_m") * 1e-6);
                Assert.Equal(row.Number("pu_p"), cap.CapProbability, 1e-5);
                Assert.Equal(row.Number("pu_gamma"), cap.Gamma, row.Number("pu_gamma") * 1e-4);
                Assert.Equal(row.Number("pu_q"), cap.CapMass, row.Number("pu_q") * 1e-4);
                var gaussian = new PrivUnitG<double>(epsilon, d);
                Assert.Equal(row.Number("pug_mse"), gaussian.MeanSquaredError, row.Number("pug_mse") * 1e-6);
                Assert.Equal(row.Number("pug_sigma"), gaussian.Sigma, row.Number("pug_sigma") * 1e-6);
                var halfSpace = new HalfSpaceRandomizer<double>(epsilon, d, repetitions: 1);
                Assert.Equal(row.Number("privhs_B"), halfSpace.Scale, row.Number("privhs_B") * 1e-6);
                Assert.Equal(row.Number("privhs_mse"), halfSpace.MeanSquaredError, row.Number("privhs_mse") * 1e-6);
            }
        }
    }

    public sealed class A_cap_randomiser
    {
        [Theory]
        [InlineData(1)]
        [InlineData(5)]
        [InlineData(12)]
        public void Of_Gaussians_falls_into_the_cap_of_the_input_with_p_and_of_another_with_q(double epsilon)
        {
            // At ε = 12 the lower tail is met once in 20: a capped rejection that falls through to the unconditioned law (anti-pattern 4 of
            // privacy.md §8) would put Φ(−γ) more into the cap.
            const int n = 10_000, d = 8;
            var randomizer = new PrivUnitG<double>(epsilon, d);
            double[] u = [1, 0, 0, 0, 0, 0, 0, 0];
            using var random = new SimulationRandom(115);
            var report = new double[d];
            long own = 0, other = 0;
            var edge = randomizer.Gamma * randomizer.Sigma;
            for (var i = 0; i < n; i++)
            {
                randomizer.Randomize(u, report, random);
                own += report[0] >= edge ? 1 : 0;
                other += report[1] >= edge ? 1 : 0;
            }

            Statistics.AssertProportion(own, n, randomizer.CapProbability);
            Statistics.AssertProportion(other, n, NormalDistribution.UpperTail(randomizer.Gamma));
        }

        [Theory]
        [InlineData(1, 2)]
        [InlineData(4, 3)]
        [InlineData(8, 5)]
        [InlineData(8, 100)]
        [InlineData(0.5, 100)]
        public void Of_the_sphere_has_the_law_of_the_cap_along_the_input(double epsilon, int d)
        {
            const int n = 8000;
            var randomizer = new PrivUnit<double>(epsilon, d);
            var u = new double[d];
            u[0] = 1;
            using var random = SimulationRandom.Derive(116, "cap", (long)epsilon, d);
            var sample = new double[n];
            var report = new double[d];
            for (var i = 0; i < n; i++)
            {
                randomizer.Randomize(u, report, random);
                Assert.Equal(randomizer.ReportNorm, L2Clip.Norm<double>(report), randomizer.ReportNorm * 1e-9);
                sample[i] = report[0] / randomizer.ReportNorm;
            }

            var p = randomizer.CapProbability;
            Statistics.AssertDistribution(sample, t =>
            {
                var above = UpperTail(t, d);
                return t >= randomizer.Gamma ? 1 - (p * above / randomizer.CapMass) : (1 - p) * (1 - above) / (1 - randomizer.CapMass);
            });
        }

        private static double UpperTail(double t, int d)
        {
            var tail = IncompleteBeta.Regularized(Math.Max(0, 1 - (t * t)), (d - 1) / 2.0, 0.5) / 2;
            return t >= 0 ? tail : 1 - tail;
        }

        [Fact]
        public void Reports_on_a_fixed_grid()
        {
            var randomizer = new PrivUnitG<float>(2, 50);
            using var random = new SimulationRandom(117);
            var report = new float[50];
            float[] u = [.. Unit(50, 118).Select(x => (float)x)];
            randomizer.Randomize(u, report, random);
            Assert.All(report, x => Assert.Equal(0, x / randomizer.GridStep % 1));
        }
    }

    public sealed class The_half_space_report
    {
        [Fact]
        public void Costs_exactly_epsilon_by_enumeration()
        {
            // Given the seed the report is one of 2^r bit patterns; each bit is the half-space's or its opposite.
            foreach (var epsilon in new[] { 0.5, 1, 4, 9 })
            {
                var randomizer = new HalfSpaceRandomizer<double>(epsilon, 10);
                var lie = 1 / (Math.Exp(epsilon / randomizer.Repetitions) + 1);
                var worst = 0.0;
                for (var pattern = 0; pattern < 1 << randomizer.Repetitions; pattern++)
                {
                    var lies = System.Numerics.BitOperations.PopCount((uint)pattern);
                    var one = Math.Pow(lie, lies) * Math.Pow(1 - lie, randomizer.Repetitions - lies);
                    var opposite = Math.Pow(1 - lie, lies) * Math.Pow(lie, randomizer.Repetitions - lies);
                    worst = Math.Max(worst, Math.Log(one / opposite));
                }

                Assert.Equal(worst, randomizer.Epsilon, 1e-9);
                Assert.True(randomizer.Epsilon <= epsilon);
            }
        }

        [Fact]
        public void Depends_on_the_input_through_one_bit_only()
        {
            var randomizer = new HalfSpaceRandomizer<float>(1, 20);
            using var a = new SimulationRandom(119);
            using var b = new SimulationRandom(119);
            float[] one = [.. Unit(20, 120).Select(x => (float)x)];
            float[] two = [.. Unit(20, 121).Select(x => (float)x)];
            var first = randomizer.Encode(one, a);
            var second = randomizer.Encode(two, b);
            Assert.Equal(first.Seeds.ToArray(), second.Seeds.ToArray());
            Assert.Equal(33, randomizer.ReportBytes);
        }

        [Fact]
        public void Is_repeated_where_that_lowers_the_error()
        {
            Assert.Equal(1, new HalfSpaceRandomizer<float>(1, 100).Repetitions);
            Assert.Equal(1, new HalfSpaceRandomizer<float>(3, 100).Repetitions);
            Assert.Equal(2, new HalfSpaceRandomizer<float>(4, 100).Repetitions);
            var split = new HalfSpaceRandomizer<float>(8, 100);
            Assert.True(split.MeanSquaredError < new HalfSpaceRandomizer<float>(8, 100, repetitions: 1).MeanSquaredError / 2);
        }
    }

    public sealed class ProjUnit_on_a_short_projection
    {
        [Fact]
        public void Is_unbiased_to_one_over_k_and_has_the_error_of_the_whole()
        {
            const int d = 100, k = 16, n = 6000;
            var randomizer = new ProjUnit<double>(4, d, k);
            var whole = new PrivUnitG<double>(4, d);
            var u = Unit(d, 122);
            using var random = new SimulationRandom(123);
            var along = new double[n];
            var errors = new double[n];
            var report = new double[d];
            for (var i = 0; i < n; i++)
            {
                randomizer.Randomize(u, report, random);
                along[i] = VectorMath.Dot<double>(report, u);
                errors[i] = report.Zip(u, (x, y) => (x - y) * (x - y)).Sum();
            }

            var bias = Math.Abs(Statistics.Mean(along) - 1);
            Assert.True(bias < (1.0 / k) + (Statistics.Z * Math.Sqrt(Statistics.Variance(along, 1) / n)), $"bias {bias}");
            Assert.InRange(Statistics.Mean(errors) / whole.MeanSquaredError, 0.9, 1.25);
        }
    }

    public sealed class A_local_update
    {
        [Theory]
        [InlineData(0.0)]
        [InlineData(0.3)]
        [InlineData(5.0)]
        public void Is_estimated_without_bias_whatever_its_norm(double norm)
        {
            const int d = 6, n = 8000;
            var randomizer = new LocalUpdateRandomizer<double>(new PrivUnitG<double>(3, d + 1), 0.5);
            double[] direction = Unit(d, 124);
            using var random = new SimulationRandom(125);
            var along = new double[n];
            var squares = new double[n];
            for (var i = 0; i < n; i++)
            {
                double[] update = [.. direction.Select(x => x * norm)];
                randomizer.Randomize(update, random);
                along[i] = VectorMath.Dot<double>(update, direction);
                squares[i] = update.Zip(direction, (x, y) => Math.Pow(x - (y * Math.Min(norm, 0.5)), 2)).Sum();
            }

            Statistics.AssertMean(along, Math.Min(norm, 0.5), Statistics.Variance(along, Statistics.Mean(along)));
            Assert.True(Statistics.Mean(squares) <= randomizer.MeanSquaredError * 1.05);
        }

        [Fact]
        public void With_a_NaN_is_treated_as_zero()
        {
            var randomizer = new LocalUpdateRandomizer<float>(new PrivUnitG<float>(3, 4), 1);
            using var random = new SimulationRandom(126);
            float[] update = [1, float.NaN, 2];
            Assert.False(randomizer.Randomize(update, random).WasFinite);
            Assert.All(update, x => Assert.True(float.IsFinite(x)));
        }
    }
}
