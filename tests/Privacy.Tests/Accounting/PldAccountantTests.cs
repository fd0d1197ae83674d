using Federated.Privacy.Accounting;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Accounting;

public static partial class PldAccountantTests
{
    private static readonly PldAccountant Accountant = new();

    private static PrivacyEvent Sampled(double q, double sigma, long steps) =>
        new PoissonSampledEvent(q, new GaussianEvent(NeighbourRelation.AddRemoveClient, sigma)).Repeated(steps);

    public sealed class PoissonGaussian
    {
        [Theory]
        [InlineData(0.001, 1.0, 1000, 1e-5, 0.1489558439)]
        [InlineData(0.001, 2.0, 10000, 1e-8, 0.2595013317)]
        [InlineData(0.01, 1.0, 1, 1e-5, 0.1994504735)]
        [InlineData(0.01, 1.0, 1000, 1e-5, 1.828243646)]
        [InlineData(0.05, 1.0, 400, 1e-5, 6.699969637)]
        [InlineData(1.0, 2.0, 1, 1e-5, 1.993091408)]
        public void Epsilon_matches_the_reference(double q, double sigma, long steps, double delta, double expected) =>
            Near.Absolute(expected, Accountant.Epsilon(Sampled(q, sigma, steps), delta), 2e-6);

        [VectorFact("accountant_poisson_gaussian")]
        public void All_vectors_match()
        {
            foreach (var row in VectorFile.Read("accountant_poisson_gaussian"))
            {
                var e = Sampled(row.Number("q"), row.Number("sigma"), row.Integer("T"));
                var delta = row.Number("delta");
                var epsilon = Accountant.Epsilon(e, delta);
                Near.Absolute(row.Number("pld_eps"), epsilon, 2e-6, row.ToString());
                Assert.InRange(epsilon, row.Number("pld_eps_buckets_opt"), row.Number("pld_eps_buckets_pess"));
                Assert.True(epsilon <= row.Number("rdp_eps_exact"), row.ToString());
                // The central-limit approximation is below the truth and must never be what an accountant returns.
                if (row.Number("q") < 1)
                {
                    Assert.True(epsilon > row.Number("gdp_clt_eps"), row.ToString());
                }

                if (row.Number("pld_eps_1e5") < 0.75)
                {
                    var fine = new PldAccountant(new PldAccountantOptions { DiscretizationInterval = 1e-5 }).Epsilon(e, delta);
                    Near.Absolute(row.Number("pld_eps_1e5"), fine, 2e-6, row.ToString());
                    Assert.True(fine <= epsilon + 1e-9, $"{row}: {fine} at 1e-5, {epsilon} at 1e-4");
                }

                if (!double.IsNaN(row.Number("gauss_exact_eps")))
                {
                    Assert.True(epsilon >= row.Number("gauss_exact_eps") - 1e-8, row.ToString());
                }
            }
        }
    }

    public sealed class OtherMechanisms
    {
        private static readonly NeighbourRelation AddRemove = NeighbourRelation.AddRemoveClient;

        private static PrivacyEvent Parse(string mechanism, string parameters, long count)
        {
            var p = parameters.Split(';').Select(pair => pair.Split('=')).ToDictionary(
                pair => pair[0], pair => double.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture));
            PrivacyEvent e = mechanism switch
            {
                "laplace" => new PoissonSampledEvent(p["q"], new LaplaceEvent(AddRemove, p["b"])),
                "gaussian" => new PoissonSampledEvent(p["q"], new GaussianEvent(AddRemove, p["sigma"])),
                "gaussian+laplace" => new ComposedEvent(new GaussianEvent(AddRemove, p["sigma"]), new LaplaceEvent(AddRemove, p["b"])),
                // Keeps with probability 1 − p, otherwise uniform over all k.
                "krr" => new RandomizedResponseEvent(
                    NeighbourRelation.ReplaceOneParticipation, Math.Log((1 - p["p"] + p["p"] / p["k"]) / (p["p"] / p["k"])), (int)p["k"]),
                _ => throw new NotSupportedException(mechanism),
            };
            return e.Repeated(count);
        }

        [Theory]
        [InlineData("laplace", "b=1;q=1", 1, "eps@delta=0", 1)]
        [InlineData("laplace", "b=1;q=0.1", 100, "eps@delta=1e-06", 4.6621979)]
        [InlineData("gaussian+laplace", "sigma=2;b=3", 1, "delta@eps=2", 6.675718e-05)]
        [InlineData("gaussian", "sigma=1;q=0.1", 100, "delta@eps=0.5", 0.31344352)]
        public void Match_the_reference(string mechanism, string parameters, long count, string query, double expected)
        {
            var e = Parse(mechanism, parameters, count);
            var at = double.Parse(query.Split('=')[1], System.Globalization.CultureInfo.InvariantCulture);
            var actual = query.StartsWith("eps", StringComparison.Ordinal) ? Accountant.Epsilon(e, at) : Accountant.Delta(e, at);
            Near.Absolute(expected, actual, 1e-4, $"{mechanism} {parameters} x{count} {query}");
            if (query.StartsWith("delta", StringComparison.Ordinal))
            {
                Near.Relative(expected, actual, 1e-4, $"{mechanism} {parameters} x{count} {query}");
            }
        }

        /// <summary>
        /// The reference rounds every loss of randomised response up to the grid, which adds up to T·h (0.004 here) to its ε. The exact
        /// values, by convolution of the trinomial in mpmath with 50 digits, lie below ours, and ours within 10⁻⁴ of them.
        /// </summary>
        [Theory]
        [InlineData(2, 0.5, 10, 10.9861051287968, 10.986982)]
        [InlineData(4, 0.9, 100, 15.6923750890909, 15.696592)]
        public void Randomised_response_is_tighter_than_the_reference(int k, double p, long count, double exact, double reference)
        {
            var actual = Accountant.Epsilon(Parse("krr", $"k={k};p={p}", count), 1e-6);
            Assert.InRange(actual, exact, exact + 1e-4);
            Assert.InRange(reference, actual, actual + count * 1e-4);
        }

        [VectorFact("pld_misc")]
        public void All_vectors_match()
        {
            foreach (var row in VectorFile.Read("pld_misc").Where(row => row["mechanism"] != "krr" || row.Integer("T") == 1))
            {
                Match_the_reference(row["mechanism"], row["params"], row.Integer("T"), row["query"], row.Number("value"));
            }
        }

        /// <summary>Source: vectors/discrete_gaussian.csv, exact sums.</summary>
        [Theory]
        [InlineData(0.25, 0.6032048692)]
        [InlineData(1.0, 0.1413513394)]
        [InlineData(10.0, 0.0001151325254)]
        public void Discrete_gaussian_delta_is_the_exact_sum(double variance, double expected) =>
            Near.Relative(expected, Accountant.Delta(new DiscreteGaussianEvent(AddRemove, variance), 1), 1e-6);

        [VectorFact("discrete_gaussian")]
        public void All_discrete_gaussian_vectors_match()
        {
            foreach (var row in VectorFile.Read("discrete_gaussian").Where(row => row.Number("delta_exact_eps1") > 1e-300))
            {
                var e = new DiscreteGaussianEvent(AddRemove, row.Number("sigma2"));
                Near.Relative(row.Number("delta_exact_eps1"), Accountant.Delta(e, 1), 1e-6, row.ToString());
                // Concentrated DP is the Rényi accountant on all orders; the exact sum is never above it.
                Assert.True(Accountant.Epsilon(e, 1e-6) <= row.Number("eps_zcdp_delta1e6") + 1e-6, row.ToString());
            }
        }

        /// <summary>Golden value: mpmath, Σ max(0, P − e·Q) over the Skellam probabilities e^−μ·I_|x|(μ), shift 1.</summary>
        [Theory]
        [InlineData(4, 1, 1, 0.00350375978048287)]
        [InlineData(100, 3, 0.5, 0.00748193970699848)]
        public void Skellam_delta_is_the_exact_sum(double variance, int shift, double epsilon, double expected) =>
            Near.Relative(expected, Accountant.Delta(new SkellamEvent(AddRemove, variance, shift, shift), epsilon), 1e-6);

        [Fact]
        public void Skellam_and_discrete_gaussian_tend_to_the_gaussian()
        {
            var gaussian = AnalyticGaussian.Epsilon(100, 1e-6);
            Near.Relative(gaussian, Accountant.Epsilon(new SkellamEvent(AddRemove, 1e4, 1, 1), 1e-6), 1e-3);
            Near.Relative(gaussian, Accountant.Epsilon(new DiscreteGaussianEvent(AddRemove, 1e4), 1e-6), 1e-3);
        }

        [Fact]
        public void Pure_mechanisms_compose_to_at_most_the_sum_of_their_epsilons()
        {
            var e = new PureEvent(AddRemove, 0.3).Repeated(20);
            Near.Relative(6, Accountant.Epsilon(e, 0), 1e-3);
            Assert.True(Accountant.Epsilon(e, 1e-6) < 6);
            Near.Relative(6, Accountant.Epsilon(e, 1e-40), 1e-2);
        }

        [Fact]
        public void Approximate_mechanisms_keep_their_delta()
        {
            var e = new ApproximateEvent(AddRemove, 0.5, 1e-7);
            Near.Relative(1e-7, Accountant.Delta(e, 0.6), 1e-9);
            Assert.Equal(double.PositiveInfinity, Accountant.Epsilon(e.Repeated(100), 1e-6));
            Assert.True(double.IsFinite(Accountant.Epsilon(e.Repeated(100), 1.1e-5)));
        }
    }

    public sealed class Properties
    {
        private static readonly Arbitrary<double> Q = Gen.Choose(1, 50).Select(i => i / 50.0).ToArbitrary();
        private static readonly Arbitrary<double> Sigma = Gen.Choose(15, 80).Select(i => i / 10.0).ToArbitrary();

        [Fact]
        public void Epsilon_grows_with_q_and_steps_and_falls_with_noise_and_delta() => Prop.ForAll(Q, Sigma, (q, sigma) =>
        {
            var epsilon = Accountant.Epsilon(Sampled(q, sigma, 40), 1e-5);
            return Accountant.Epsilon(Sampled(Math.Min(1, q * 1.1), sigma, 40), 1e-5) >= epsilon - 1e-9
                && Accountant.Epsilon(Sampled(q, sigma * 1.1, 40), 1e-5) <= epsilon + 1e-9
                && Accountant.Epsilon(Sampled(q, sigma, 41), 1e-5) >= epsilon - 1e-9
                && Accountant.Epsilon(Sampled(q, sigma, 40), 2e-5) <= epsilon;
        }).Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL).WithMaxTest(6));

        [Fact]
        public void Delta_at_epsilon_is_delta() => Prop.ForAll(Q, Sigma, (q, sigma) =>
        {
            var e = Sampled(q, sigma, 30);
            var epsilon = Accountant.Epsilon(e, 1e-6);
            Assert.True(epsilon == 0 || Math.Abs(Accountant.Delta(e, epsilon) / 1e-6 - 1) < 1e-3, $"q={q} σ={sigma}: {Accountant.Delta(e, epsilon)}");
        }).Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL).WithMaxTest(6));

        [Fact]
        public void One_unsampled_gaussian_is_exact_far_into_the_tail()
        {
            foreach (var delta in (double[])[1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 1e-18])
            {
                var exact = AnalyticGaussian.Epsilon(2, delta);
                Assert.InRange(Accountant.Epsilon(Sampled(1, 2, 1), delta), exact - 1e-12, exact + 1e-6);
            }
        }

        [Fact]
        public void Many_unsampled_gaussians_bound_the_exact_value_from_above()
        {
            foreach (var (sigma, steps) in ((double, long)[])[(10, 100), (100, 1000), (300, 100_000)])
            {
                foreach (var delta in (double[])[1e-5, 1e-9, 1e-12])
                {
                    var exact = AnalyticGaussian.Epsilon(sigma / Math.Sqrt(steps), delta);
                    Assert.InRange(Accountant.Epsilon(Sampled(1, sigma, steps), delta), exact, exact * (1 + 2e-3));
                }
            }
        }

        [Fact]
        public void Composition_of_halves_is_the_whole()
        {
            var halves = new ComposedEvent(Sampled(0.02, 1.1, 200), Sampled(0.02, 1.1, 300));
            Near.Absolute(Accountant.Epsilon(Sampled(0.02, 1.1, 500), 1e-6), Accountant.Epsilon(halves, 1e-6), 1e-12);
        }

        [Fact]
        public void Unlike_mechanisms_commute()
        {
            var (a, b) = (Sampled(0.02, 1.1, 200), new LaplaceEvent(NeighbourRelation.AddRemoveClient, 3).Repeated(2));
            Near.Absolute(Accountant.Epsilon(new ComposedEvent(a, b), 1e-6), Accountant.Epsilon(new ComposedEvent(b, a), 1e-6), 1e-10);
        }

        [Fact]
        public void Nothing_costs_nothing()
        {
            Assert.Equal(0, Accountant.Epsilon(Sampled(0, 1, 1000), 0));
            Assert.Equal(0, Accountant.Epsilon(Sampled(0.1, 1, 0), 1e-9));
            Assert.Equal(0, Accountant.Epsilon(Sampled(0.001, 1000, 1), 1e-3));
        }
    }

    public sealed class Refusals
    {
        [Fact]
        public void Poisson_sampling_under_replace_one() => Assert.Contains("add-remove", Assert.Throws<PrivacyException>(
            () => new PoissonSampledEvent(0.1, new GaussianEvent(NeighbourRelation.ReplaceOneClient, 1))).Message, StringComparison.Ordinal);

        [Fact]
        public void Unlike_adjacencies() => Assert.Contains("unlike adjacencies", Assert.Throws<PrivacyException>(() => new ComposedEvent(
            new GaussianEvent(NeighbourRelation.AddRemoveClient, 1), new GaussianEvent(NeighbourRelation.ReplaceOneClient, 1))).Message,
            StringComparison.Ordinal);

        [Theory]
        [InlineData(0)]
        [InlineData(-1)]
        [InlineData(double.NaN)]
        [InlineData(double.PositiveInfinity)]
        public void Noise_multipliers_that_are_none(double sigma) =>
            Assert.Throws<PrivacyException>(() => new GaussianEvent(NeighbourRelation.AddRemoveClient, sigma));

        [Theory]
        [InlineData(1)]
        [InlineData(-0.1)]
        [InlineData(double.NaN)]
        public void Deltas_that_are_none(double delta) =>
            Assert.Throws<PrivacyException>(() => Accountant.Epsilon(Sampled(0.1, 1, 1), delta));

        [Fact]
        public void A_sampled_composition_of_other_mechanisms() => Assert.Throws<PrivacyException>(() => Accountant.Epsilon(
            new PoissonSampledEvent(0.1, new LaplaceEvent(NeighbourRelation.AddRemoveClient, 1).Repeated(2)), 1e-5));
    }

    public sealed class SharedCoin
    {
        /// <summary>The adaptive-clipping pair: update and bit are two Gaussians on one coin, together one Gaussian of multiplier z.</summary>
        [Fact]
        public void Gaussians_on_one_coin_are_one_gaussian()
        {
            var pair = new ComposedEvent(
                new GaussianEvent(NeighbourRelation.AddRemoveClient, 1.00503781525921), new GaussianEvent(NeighbourRelation.AddRemoveClient, 10));
            Near.Relative(
                Accountant.Epsilon(Sampled(0.01, 1, 100), 1e-6), Accountant.Epsilon(new PoissonSampledEvent(0.01, pair).Repeated(100), 1e-6), 1e-6);
        }
    }
}
