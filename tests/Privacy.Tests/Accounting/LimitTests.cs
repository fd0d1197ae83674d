using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Accounting;

/// <summary>What every accountant must do as a parameter goes to the end of its range, and which way each parameter must move its answer.</summary>
public static class LimitTests
{
    private static readonly Config Draws = Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL).WithMaxTest(12);

    private static PrivacyEvent Poisson(double q, double sigma, long steps) =>
        new PoissonSampledEvent(q, new GaussianEvent(NeighbourRelation.AddRemoveClient, sigma)).Repeated(steps);

    private static PrivacyEvent FixedSize(long m, long n, double sigma, long steps) =>
        new FixedSizeSampledEvent(n, m, new GaussianEvent(NeighbourRelation.ReplaceOneClient, sigma)).Repeated(steps);

    public static TheoryData<string> Sampled => [Accountants.Pld, Accountants.Rdp];

    public sealed class A_sampled_gaussian
    {
        public static TheoryData<string> Names => Sampled;

        [Theory]
        [MemberData(nameof(Names))]
        public void Costs_nothing_as_q_vanishes_and_everything_as_it_becomes_one(string name)
        {
            var accountant = Accountants.ByName(name);
            var epsilons = ((double[])[1, 0.1, 1e-3]).Select(q => accountant.Epsilon(Poisson(q, 2, 100), 1e-5)).ToArray();
            Assert.Equal(epsilons.OrderDescending(), epsilons);
            Assert.True(epsilons[^1] < 0.01 * epsilons[0], string.Join(' ', epsilons));
            Near.Relative(epsilons[0], accountant.Epsilon(Poisson(1 - 1e-12, 2, 100), 1e-5), 1e-3);
        }

        [Theory]
        [MemberData(nameof(Names))]
        public void Costs_nothing_as_the_noise_grows_and_everything_as_it_vanishes(string name)
        {
            var accountant = Accountants.ByName(name);
            Assert.True(accountant.Epsilon(Poisson(0.1, 1000, 100), 1e-5) < 0.01);
            Assert.True(accountant.Epsilon(Poisson(0.1, 0.2, 100), 1e-5) > 100);
        }

        [Theory]
        [MemberData(nameof(Names))]
        public void Costs_more_than_the_root_and_less_than_the_multiple_of_many_steps(string name)
        {
            var accountant = Accountants.ByName(name);
            var epsilons = ((long[])[1000, 4000, 16_000, 64_000]).Select(steps => accountant.Epsilon(Poisson(0.01, 1, steps), 1e-5)).ToArray();
            Assert.All(epsilons.Zip(epsilons.Skip(1)), pair => Assert.InRange(pair.Second / pair.First, 1.9, 4));
        }

        [Theory]
        [MemberData(nameof(Names))]
        public void Costs_nothing_at_a_delta_of_almost_one_and_more_than_any_number_at_none(string name)
        {
            var accountant = Accountants.ByName(name);
            Assert.Equal(0, accountant.Epsilon(Poisson(0.01, 1, 10), 0.5));
            var small = accountant.Epsilon(Poisson(0.01, 1, 10), 1e-30);
            Assert.True(small > 2 * accountant.Epsilon(Poisson(0.01, 1, 10), 1e-10));
        }
    }

    public sealed class A_fixed_size_sample
    {
        private static readonly Arbitrary<(int, double)> Cases =
            Gen.Choose(1, 90).SelectMany(m => Gen.Choose(8, 40).Select(s => (m, s / 10.0))).ToArbitrary();

        [Fact]
        public void Costs_more_the_larger_it_is_and_less_the_more_noise_there_is() => Prop.ForAll(Cases, c =>
        {
            // The wider search by the cheap accountant, the tight one at every fifth case.
            var (m, sigma) = c;
            foreach (var name in m % 5 == 0 ? (string[])[Accountants.Pld, Accountants.Rdp] : [Accountants.Rdp])
            {
                var accountant = Accountants.ByName(name);
                var epsilon = accountant.Epsilon(FixedSize(m, 100, sigma, 20), 1e-6);
                Assert.True(accountant.Epsilon(FixedSize(m + 10, 100, sigma, 20), 1e-6) >= epsilon - 1e-9, $"{name} m={m} σ={sigma}");
                Assert.True(accountant.Epsilon(FixedSize(m, 100, sigma * 1.2, 20), 1e-6) <= epsilon + 1e-9, $"{name} m={m} σ={sigma}");
                Assert.True(accountant.Epsilon(FixedSize(m, 100, sigma, 25), 1e-6) >= epsilon - 1e-9, $"{name} m={m} σ={sigma}");
                Assert.True(accountant.Epsilon(FixedSize(m, 150, sigma, 20), 1e-6) <= epsilon + 1e-9, $"{name} m={m} σ={sigma}");
            }
        }).Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL).WithMaxTest(5));

        [Fact]
        public void Of_everybody_is_no_sample_and_of_almost_nobody_costs_nothing()
        {
            var accountant = new PldAccountant();
            Near.Relative(AnalyticGaussian.Epsilon(3, 1e-6), accountant.Epsilon(FixedSize(50, 50, 9, 9), 1e-6), 1e-4);
            Assert.True(accountant.Epsilon(FixedSize(1, 1_000_000, 9, 9), 1e-6) < 1e-3);
        }
    }

    public sealed class A_pure_mechanism
    {
        [Fact]
        public void Costs_its_epsilon_as_delta_vanishes_and_nothing_as_epsilon_does()
        {
            var accountant = new PldAccountant();
            foreach (var epsilon0 in (double[])[0.01, 0.5, 3])
            {
                var e = new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, epsilon0, 2);
                Assert.Equal(epsilon0, accountant.Epsilon(e, 1e-18), 2e-4);
                Assert.True(accountant.Epsilon(e.Repeated(7), 1e-9) <= 7 * (epsilon0 + 1e-4));
            }

            Assert.True(accountant.Epsilon(new PureEvent(NeighbourRelation.AddRemoveClient, 1e-6).Repeated(100), 1e-9) < 1e-4);
        }
    }

    public sealed class A_shuffled_batch
    {
        [Fact]
        public void Costs_in_proportion_as_the_local_epsilon_vanishes()
        {
            double Epsilon(double epsilon0) => ShuffleAmplification.Epsilon(ShuffleBound.Fmt23, LocalRandomizer.Generic(epsilon0), 10_000, 1e-6);
            Assert.InRange(Epsilon(0.02) / Epsilon(0.01), 1.9, 2.3);
            Assert.InRange(Epsilon(0.01) / 0.01, 0, 0.05);
        }

        [Fact]
        public void Costs_as_one_over_the_root_of_n()
        {
            foreach (var bound in (ShuffleBound[])[ShuffleBound.Fmt21, ShuffleBound.Fmt23, ShuffleBound.Fmt23Closed])
            {
                double Epsilon(long n) => ShuffleAmplification.Epsilon(bound, LocalRandomizer.Generic(1), n, 1e-6);
                Assert.InRange(Epsilon(10_000) / Epsilon(1_000_000), 9, 13);
                Assert.True(Epsilon(1_000_000_000) < 3e-3);
            }
        }
    }

    public sealed class A_shuffled_sum
    {
        [Fact]
        public void Costs_less_with_more_bits_and_more_with_a_larger_shift() => Prop.ForAll(
            Gen.Choose(200, 20_000).ToArbitrary(), Gen.Choose(1, 6).ToArbitrary(), (bits, shift) =>
            {
                var epsilon = ShuffledSum.Epsilon(bits, 0.5, shift, 1e-6);
                Assert.True(ShuffledSum.Epsilon(bits + (bits / 4), 0.5, shift, 1e-6) <= epsilon + 1e-12);
                Assert.True(ShuffledSum.Epsilon(bits, 0.5, shift + 1, 1e-6) >= epsilon - 1e-12);
                Assert.True(ShuffledSum.Epsilon(bits, 0.5, shift, 1e-5) <= epsilon + 1e-12);
                Assert.True(ShuffledSum.Epsilon(bits, 0.25, shift, 1e-6) >= epsilon - 1e-12, "fair bits are the best");
            }).Check(Draws);

        [Fact]
        public void Costs_nothing_as_bits_grow_and_everything_where_there_are_fewer_than_the_shift()
        {
            Assert.True(ShuffledSum.Epsilon(100_000_000, 0.5, 1, 1e-6) < 2e-3);
            Assert.Equal(double.PositiveInfinity, ShuffledSum.Epsilon(3, 0.5, 4, 1e-6));
        }
    }
}
