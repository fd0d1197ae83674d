using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Clipping;

public static class L2ClipTests
{
    public sealed class After_clipping
    {
        [Fact]
        public void The_norm_is_within_the_bound_in_exact_arithmetic()
        {
            var coordinate = Gen.OneOf(
                Gen.Choose(-1000, 1000).Select(i => i / 7f),
                Gen.Elements(1e30f, -3e38f, float.Epsilon, -1e-40f, 1e-20f, 0f));
            Prop.ForAll(Arb.From(Gen.Zip(Gen.NonEmptyListOf(coordinate), Gen.Elements(1e-3, 0.1, 1, 1 / 3.0, 1e6))), pair =>
            {
                var (values, bound) = pair;
                var vector = values.ToArray();
                L2Clip.Apply(vector.AsSpan(), bound);
                return Square(vector) <= Rational(bound) * Rational(bound);
            }).Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL));
        }

        [Fact]
        public void A_long_vector_is_within_the_bound_in_exact_arithmetic()
        {
            using var random = new SimulationRandom(41);
            var vector = new float[200_003];
            GaussianSampler.Fill(vector.AsSpan(), 1, random);
            var report = L2Clip.Apply(vector.AsSpan(), 1);
            Assert.True(Square(vector) <= Rational(1) * Rational(1));
            Assert.True(report.Clipped && report.WasFinite);
            Assert.Equal(1, L2Clip.Norm<float>(vector), 1e-6);
        }

        [Theory]
        [InlineData(float.NaN)]
        [InlineData(float.PositiveInfinity)]
        [InlineData(float.NegativeInfinity)]
        public void A_value_that_is_not_finite_makes_the_vector_zero(float bad)
        {
            float[] vector = [1, 2, bad, 3];
            var report = L2Clip.Apply(vector.AsSpan(), 1);
            Assert.All(vector, x => Assert.Equal(0, x));
            Assert.False(report.WasFinite);
        }

        [Fact]
        public void A_short_vector_is_left_alone_and_zero_stays_zero()
        {
            float[] vector = [0.3f, -0.4f];
            Assert.False(L2Clip.Apply(vector.AsSpan(), 0.6).Clipped);
            Assert.Equal([0.3f, -0.4f], vector);
            float[] zero = [0, 0];
            L2Clip.Apply(zero.AsSpan(), 1);
            Assert.Equal([0f, 0f], zero);
        }

        [Fact]
        public void The_bound_does_not_depend_on_the_data()
        {
            // Anti-pattern 1 (privacy.md §8): clipping by max(norm, 1) leaves a vector of norm ½ at bound 0.1 unclipped.
            float[] vector = [0.3f, 0.4f];
            L2Clip.Apply(vector.AsSpan(), 0.1);
            Assert.Equal(0.1, L2Clip.Norm<float>(vector), 1e-6);
        }

        [Fact]
        public void Doubles_beyond_the_square_root_of_the_largest_are_clipped_by_their_true_norm()
        {
            double[] vector = [3e200, 4e200];
            var report = L2Clip.Apply(vector.AsSpan(), 5);
            Assert.Equal(5e200, report.Norm, 1e190);
            Assert.Equal(3, vector[0], 1e-5);
        }

        [Fact]
        public void Thread_count_does_not_change_a_bit()
        {
            using var random = new SimulationRandom(42);
            var one = new float[300_000];
            GaussianSampler.Fill(one.AsSpan(), 1, random);
            var two = (float[])one.Clone();
            L2Clip.Apply(one.AsSpan(), 1, maxThreads: 1);
            L2Clip.Apply(two.AsSpan(), 1, maxThreads: 2);
            Assert.Equal(one, two);
        }

        [Theory]
        [InlineData(0.0)]
        [InlineData(-1.0)]
        [InlineData(double.NaN)]
        [InlineData(double.PositiveInfinity)]
        public void A_bound_that_is_none_is_refused(double bound) =>
            Assert.Throws<PrivacyException>(() => L2Clip.Apply(new float[1].AsSpan(), bound));
    }

    public sealed class On_the_grid
    {
        [Fact]
        public void Values_are_multiples_of_the_step_and_the_integer_norm_holds()
        {
            using var random = new SimulationRandom(43);
            foreach (var (d, bound, step) in new[] { (10, 1.0, 1 / 1024.0), (5000, 0.3, 1 / 4096.0), (5000, 1.0, 1 / 64.0), (3, 100.0, 1.0) })
            {
                var vector = new float[d];
                GaussianSampler.Fill(vector.AsSpan(), 10, random);
                var clip = new GridClip(bound, step);
                clip.Apply(vector.AsSpan());
                BigInteger square = 0;
                foreach (var x in vector)
                {
                    Assert.Equal(0, x / step % 1);
                    square += BigInteger.Pow((BigInteger)(x / step), 2);
                }

                Assert.True(square <= BigInteger.Pow(clip.SensitivityUnits, 2), $"{square} > {clip.SensitivityUnits}^2");
            }
        }

        [Fact]
        public void A_vector_just_within_the_bound_whose_rounding_is_longer_is_shrunk()
        {
            var vector = new float[1000];
            Array.Fill(vector, 0.6f);
            var clip = new GridClip(20, 1); // ‖x‖ = 18.97, rounded to ones ‖k‖ = 31.6
            Assert.True(clip.Apply(vector.AsSpan()).Clipped);
            Assert.True(vector.Count(x => x != 0) <= 400);
        }
    }

    public sealed class Per_layer
    {
        private static readonly ParameterLayout Layout = ParameterLayout.Of(("a", [2]), ("b", [3]));

        [Fact]
        public void Each_tensor_has_its_bound_and_the_total_is_the_root_of_the_sum_of_squares()
        {
            var clip = new PerLayerClip(Layout, [3, 4]);
            Assert.Equal(5, clip.TotalBound, 1e-12); // not 7 (the sum) and not 4 (the largest)
            float[] update = [10, 0, 10, 10, 10];
            clip.Apply(update.AsSpan());
            Assert.Equal(3, L2Clip.Norm<float>(update.AsSpan(0, 2)), 1e-5);
            Assert.Equal(4, L2Clip.Norm<float>(update.AsSpan(2)), 1e-5);
        }

        [Fact]
        public void A_NaN_in_one_tensor_makes_all_zero()
        {
            float[] update = [1, 1, 1, float.NaN, 1];
            PerLayerClip.Even(Layout, 1).Apply(update.AsSpan());
            Assert.All(update, x => Assert.Equal(0, x));
        }

        [Fact]
        public void An_even_split_keeps_the_total() => Assert.InRange(PerLayerClip.Even(Layout, 0.7).TotalBound, 0.7 * (1 - 1e-12), 0.7);

        [Fact]
        public void A_missing_bound_is_refused() => Assert.Throws<PrivacyException>(() => new PerLayerClip(Layout, [1]));
    }

    private static BigInteger Square(ReadOnlySpan<float> vector)
    {
        BigInteger sum = 0;
        foreach (var x in vector)
        {
            var exact = Rational(x);
            sum += exact * exact;
        }

        return sum;
    }

    /// <summary>x·2¹⁰⁷⁴, exact.</summary>
    private static BigInteger Rational(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1L << 52);
        var value = (BigInteger)mantissa << Math.Max(0, exponent - 1);
        return bits < 0 ? -value : value;
    }
}
