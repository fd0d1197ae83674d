using Federated.Privacy.Accounting;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Accounting;

public static class RdpAccountantTests
{
    private static PrivacyEvent Sampled(double q, double sigma, long steps) =>
        new PoissonSampledEvent(q, new GaussianEvent(NeighbourRelation.AddRemoveClient, sigma)).Repeated(steps);

    private static PrivacyEvent FixedSize(long m, long n, double sigma, long steps) =>
        new FixedSizeSampledEvent(n, m, new GaussianEvent(NeighbourRelation.ReplaceOneClient, sigma)).Repeated(steps);

    private static double Divergence(PrivacyEvent e, double alpha) =>
        new RdpAccountant(new RdpAccountantOptions { Orders = [alpha] }).Curve(e).Divergences[0];

    public sealed class PoissonGaussian
    {
        /// <summary>Source: vectors/rdp_poisson_gaussian_orders.csv, 40-digit quadrature.</summary>
        [Theory]
        [InlineData(0.001, 0.7, 1.25, 4.125723893404354e-6)]
        [InlineData(0.001, 0.7, 16, 8.958258314718013)]
        [InlineData(0.001, 1.0, 2.5, 2.150742432314733e-6)]
        [InlineData(0.001, 2.0, 1.5, 2.129859693038609e-7)]
        public void Divergence_is_exact(double q, double sigma, double alpha, double expected) =>
            Near.Relative(expected, Divergence(Sampled(q, sigma, 1), alpha), 1e-9);

        [VectorFact("rdp_poisson_gaussian_orders")]
        public void All_vectors_match()
        {
            foreach (var row in VectorFile.Read("rdp_poisson_gaussian_orders"))
            {
                var actual = Divergence(Sampled(row.Number("q"), row.Number("sigma"), 1), row.Number("alpha"));
                Near.Relative(row.Number("rdp_exact"), actual, 1e-9, row.ToString());
            }
        }

        /// <summary>A known mistake: a signed series that overflows beyond order 1030.</summary>
        [Fact]
        public void Stays_finite_at_large_orders() => Assert.True(double.IsFinite(Divergence(Sampled(0.01, 1, 1), 5000)));

        [Theory]
        [InlineData(0.001, 1.0, 1000, 1e-5, 0.6778257246)]
        [InlineData(0.01, 1.0, 1000, 1e-5, 2.101365272)]
        [InlineData(0.05, 1.0, 400, 1e-5, 7.419864143)]
        [InlineData(0.1, 2.0, 200, 1e-5, 3.679745846)]
        [InlineData(1.0, 5.0, 10, 1e-6, 3.131089775)]
        public void Epsilon_matches_the_reference(double q, double sigma, long steps, double delta, double expected) =>
            Near.Relative(expected, new RdpAccountant().Epsilon(Sampled(q, sigma, steps), delta), 1e-6);

        [VectorFact("accountant_poisson_gaussian")]
        public void All_epsilons_match()
        {
            foreach (var row in VectorFile.Read("accountant_poisson_gaussian"))
            {
                var curve = new RdpAccountant().Curve(Sampled(row.Number("q"), row.Number("sigma"), row.Integer("T")));
                var (epsilon, order) = curve.BestEpsilon(row.Number("delta"));
                Near.Relative(row.Number("rdp_eps_exact"), epsilon, 1e-6, row.ToString());
                Near.Absolute(row.Number("rdp_exact_order"), order, 1e-9, row.ToString());
            }
        }
    }

    public sealed class FixedSizeGaussian
    {
        [Theory]
        [InlineData(10, 1000, 1.0, 100, 1e-5, 1.4825257)]
        [InlineData(100, 10000, 1.0, 1000, 1e-6, 4.0212081)]
        [InlineData(1, 1000, 1.0, 1000, 1e-5, 0.70332468)]
        [InlineData(1000, 1000, 10.0, 100, 1e-6, 5.2215396)]
        public void Epsilon_matches_the_reference(long m, long n, double sigma, long steps, double delta, double expected) =>
            Near.Relative(expected, new RdpAccountant().Epsilon(FixedSize(m, n, sigma, steps), delta), 1e-6);

        [VectorFact("accountant_wor_gaussian")]
        public void All_vectors_match()
        {
            foreach (var row in VectorFile.Read("accountant_wor_gaussian"))
            {
                var e = FixedSize(row.Integer("m"), row.Integer("n"), row.Number("sigma"), row.Integer("T"));
                var (epsilon, order) = new RdpAccountant().Curve(e).BestEpsilon(row.Number("delta"));
                Near.Relative(row.Number("eps_rdp_wor"), epsilon, 1e-6, row.ToString());
                Near.Absolute(row.Number("order"), order, 1e-9, row.ToString());
            }
        }

        /// <summary>A fixed-size cohort is not a Poisson sample: claiming the Poisson number understates the loss.</summary>
        [Fact]
        public void Costs_more_than_the_poisson_reading() => Assert.True(
            new RdpAccountant().Epsilon(FixedSize(100, 10000, 1, 1000), 1e-6) > 1.5 * new RdpAccountant().Epsilon(Sampled(0.01, 1, 1000), 1e-6));
    }

    public sealed class OtherMechanisms
    {
        /// <summary>Source: vectors/distributed_dp.csv; orders 2 … 128 and 256.</summary>
        [Theory]
        [InlineData(100, 1024, 200.0, 0.1, 1, 1e-5, 201.1765394, 6438, 4.7822283, 4.7822913)]
        [InlineData(50, 1048576, 100000.0, 0.6, 100, 1e-6, 30004.8772, 30724995, 3.5437002, 3.5437002)]
        [InlineData(10, 256, 50.0, 0.02, 1, 1e-5, 51.20546846, 820, 272.46577, 304.29163)]
        public void Distributed_noise_matches_the_reference(
            int n, int d, double scale, double sigma, int steps, double delta, double l2, double l1, double ddg, double skellam)
        {
            var accountant = new RdpAccountant(new RdpAccountantOptions { Orders = [.. Enumerable.Range(2, 127).Select(i => (double)i), 256] });
            var local = scale * sigma * scale * sigma;
            var relation = NeighbourRelation.ZeroOutParticipation;
            Near.Relative(ddg, accountant.Epsilon(new DistributedDiscreteGaussianEvent(relation, local, n, d, l1, l2).Repeated(steps), delta), 1e-6);
            Near.Relative(skellam, accountant.Epsilon(new SkellamEvent(relation, local * n, l1, l2).Repeated(steps), delta), 1e-6);
        }

        [VectorFact("distributed_dp")]
        public void All_distributed_vectors_match()
        {
            foreach (var row in VectorFile.Read("distributed_dp"))
            {
                Distributed_noise_matches_the_reference(
                    row.Integer("n"), row.Integer("d"), row.Number("s"), row.Number("sigma_l"), row.Integer("T"), row.Number("delta"),
                    row.Number("l2s"), row.Number("l1s"), row.Number("eps_ddg"), row.Number("eps_skellam"));
            }
        }

        [Fact]
        public void Laplace_tends_to_its_pure_epsilon() =>
            Near.Relative(2, Divergence(new LaplaceEvent(NeighbourRelation.AddRemoveClient, 0.5), 4000), 1e-3);

        [Fact]
        public void Sampling_everybody_changes_nothing()
        {
            foreach (var e in (MechanismEvent[])[
                new LaplaceEvent(NeighbourRelation.AddRemoveClient, 1.3), new PureEvent(NeighbourRelation.AddRemoveClient, 0.7),
                new DiscreteGaussianEvent(NeighbourRelation.AddRemoveClient, 3, 2), new GaussianEvent(NeighbourRelation.AddRemoveClient, 1.7)])
            {
                foreach (var alpha in (double[])[1.5, 2, 7.3, 40])
                {
                    Near.Relative(
                        Divergence(e, alpha), Divergence(new PoissonSampledEvent(1 - 1e-14, e), alpha), 2e-2, $"{e} at {alpha}");
                }
            }
        }

        /// <summary>Integer sensitivity and integer α·Δ: the discrete Gaussian's divergence is exactly the continuous one's.</summary>
        [Fact]
        public void Sampled_discrete_gaussian_tends_to_the_continuous_one() => Near.Relative(
            Divergence(new PoissonSampledEvent(0.1, new GaussianEvent(NeighbourRelation.AddRemoveClient, 4)), 6),
            Divergence(new PoissonSampledEvent(0.1, new DiscreteGaussianEvent(NeighbourRelation.AddRemoveClient, 16)), 6),
            1e-8);

        [Fact]
        public void Poisson_sampled_laplace_matches_direct_integration()
        {
            // mpmath: D_3 of 0.8·Lap(0, 1) + 0.2·Lap(1, 1) from Lap(0, 1), and the other way round; the larger is reported.
            Near.Relative(0.05214737325416465, Divergence(new PoissonSampledEvent(0.2, new LaplaceEvent(NeighbourRelation.AddRemoveClient, 1)), 3), 1e-12);
        }

        [Theory]
        [InlineData(2.5)]
        [InlineData(7)]
        public void Fixed_size_sampling_of_pure_mechanisms_amplifies(double alpha)
        {
            var pure = new PureEvent(NeighbourRelation.ReplaceOneClient, 0.5);
            Assert.True(Divergence(new FixedSizeSampledEvent(1000, 10, pure), alpha) < 0.01 * Divergence(pure, alpha));
        }

        [Fact]
        public void Refuses_what_has_no_bound_and_names_the_way_out()
        {
            var e = new ApproximateEvent(NeighbourRelation.AddRemoveClient, 1, 1e-6);
            Assert.Contains("pld", Assert.Throws<PrivacyException>(() => new RdpAccountant().Epsilon(e, 1e-5)).Message, StringComparison.Ordinal);
        }
    }

    public sealed class Properties
    {
        private static readonly Arbitrary<double> Q = Gen.Choose(1, 60).Select(i => i / 100.0).ToArbitrary();
        private static readonly Arbitrary<double> Sigma = Gen.Choose(6, 60).Select(i => i / 10.0).ToArbitrary();

        [Fact]
        public void Epsilon_grows_with_q_and_steps_and_falls_with_noise() => Prop.ForAll(Q, Sigma, (q, sigma) =>
        {
            var accountant = new RdpAccountant();
            var epsilon = accountant.Epsilon(Sampled(q, sigma, 50), 1e-5);
            return accountant.Epsilon(Sampled(q * 1.1, sigma, 50), 1e-5) >= epsilon
                && accountant.Epsilon(Sampled(q, sigma * 1.1, 50), 1e-5) <= epsilon
                && accountant.Epsilon(Sampled(q, sigma, 55), 1e-5) >= epsilon
                && accountant.Epsilon(Sampled(q, sigma, 50), 1e-6) >= epsilon;
        }).Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL).WithMaxTest(20));

        [Fact]
        public void Delta_and_epsilon_are_consistent()
        {
            var curve = new RdpAccountant().Curve(Sampled(0.01, 1, 1000));
            Near.Relative(1e-5, curve.Delta(curve.Epsilon(1e-5)), 1e-9);
        }

        [Fact]
        public void A_step_without_sampling_probability_costs_nothing() =>
            Assert.Equal(0, new RdpAccountant().Epsilon(Sampled(0, 1, 1000), 1e-9));

        [Fact]
        public void Composition_is_additive()
        {
            var accountant = new RdpAccountant();
            var both = new ComposedEvent(Sampled(0.01, 1, 10), new GaussianEvent(NeighbourRelation.AddRemoveClient, 20));
            var sum = accountant.Curve(Sampled(0.01, 1, 1)).Compose(accountant.Curve(new GaussianEvent(NeighbourRelation.AddRemoveClient, 20)), 1, 10);
            Near.Relative(sum.Epsilon(1e-6), accountant.Epsilon(both, 1e-6), 1e-12);
        }
    }
}
