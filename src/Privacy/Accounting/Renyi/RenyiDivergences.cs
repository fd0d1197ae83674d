using Federated.Privacy.Accounting.Loss;
using Federated.Privacy.Amplification;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Renyi;

/// <summary>Upper bounds of the Rényi divergence of each event, order by order; exact where the remarks of the event say so.</summary>
internal static class RenyiDivergences
{
    public static double[] For(PrivacyEvent leaf, double[] orders) => leaf switch
    {
        MechanismEvent mechanism => [.. orders.Select(Plain(mechanism))],
        PoissonSampledEvent sampled => Poisson(sampled, orders),
        FixedSizeSampledEvent { Inner: GaussianEvent gaussian } sampled =>
            FixedSizeGaussian.Divergences(sampled.Fraction, gaussian.NoiseMultiplier, orders),
        FixedSizeSampledEvent sampled => FixedSizeGeneral(sampled, orders),
        _ => throw new PrivacyException($"The {Accountants.Rdp} accountant has no Rényi bound for {leaf.GetType().Name}."),
    };

    /// <summary>D_α of a mechanism without sampling, as a function of α.</summary>
    private static Func<double, double> Plain(MechanismEvent mechanism)
    {
        switch (mechanism)
        {
            case GaussianEvent e:
                return alpha => alpha / (2 * e.NoiseMultiplier * e.NoiseMultiplier);
            case DiscreteGaussianEvent e:
                return alpha => alpha * e.Sensitivity * (double)e.Sensitivity / (2 * e.Variance);
            case LaplaceEvent e:
                return alpha => Laplace(alpha, e.NoiseMultiplier);
            case SkellamEvent e:
                return FromIntegerOrders(alpha => Skellam(alpha, e));
            case DistributedDiscreteGaussianEvent e:
                return alpha => DistributedDiscreteGaussian(alpha, e);
            case ShuffledEvent e:
                var losses = new ShufflePair(ClonePair.VariationRatio(e.Randomizer, e.Reports)).ForRenyi();
                // The sum over cells rounds by at most 10⁻¹¹.
                return alpha => (losses.LogMoment(alpha - 1) + 1e-11) / (alpha - 1);
            case PureEvent or ApproximateEvent { Delta: 0 } or RandomizedResponseEvent:
                var moments = Moments((AtomicPair)DominatingPairs.For(mechanism));
                return alpha => moments.LogMoment(alpha) / (alpha - 1);
            case GaussianMixtureEvent:
                throw new PrivacyException(
                    $"No Rényi bound is computed here for a mixture of sensitivities: use the {Accountants.Pld} accountant.");
            default:
                throw new PrivacyException(
                    $"{mechanism.GetType().Name} has outcomes of infinite loss and hence no Rényi divergence: use the {Accountants.Pld} accountant.");
        }
    }

    private static double[] Poisson(PoissonSampledEvent sampled, double[] orders)
    {
        var q = sampled.Probability;
        switch (sampled.Inner)
        {
            case GaussianEvent e:
                return PoissonGaussian.Divergences(q, e.NoiseMultiplier, orders);
            case DiscreteGaussianEvent e:
                return Both(alpha => SampledMoments.DiscreteGaussian(e.Variance, e.Sensitivity, q, alpha), orders);
            case LaplaceEvent e:
                return Both(alpha => SampledMoments.Laplace(e.NoiseMultiplier, q, alpha), orders);
            case PureEvent or ApproximateEvent { Delta: 0 } or RandomizedResponseEvent:
                var moments = Moments((AtomicPair)DominatingPairs.For(sampled.Inner).PoissonSampled(q));
                return Both(_ => moments, orders);
            default:
                throw new PrivacyException(
                    $"No Rényi bound is known here for a Poisson-sampled {sampled.Inner.GetType().Name}: use the {Accountants.Pld} accountant, "
                    + "or account without amplification.");
        }
    }

    /// <summary>The larger of both directions; which one it is depends on the mechanism.</summary>
    private static double[] Both(Func<double, MixtureMoments> momentsUpTo, double[] orders)
    {
        var moments = momentsUpTo(orders.Max());
        return [.. orders.Select(alpha => Math.Max(moments.LogMoment(alpha), moments.LogMoment(1 - alpha)) / (alpha - 1))];
    }

    private static MixtureMoments Moments(AtomicPair pair) =>
        new([.. pair.Q.ToArray().Select(q => Math.Log(q))], pair.Loss.ToArray());

    /// <summary>Mironov 2017, table II.</summary>
    private static double Laplace(double alpha, double noiseMultiplier)
    {
        var up = Math.Log(alpha / (2 * alpha - 1)) + (alpha - 1) / noiseMultiplier;
        var down = Math.Log((alpha - 1) / (2 * alpha - 1)) - alpha / noiseMultiplier;
        return Math.Max(0, LogSpace.Add(up, down) / (alpha - 1));
    }

    /// <summary>Agarwal, Kairouz, Liu, NeurIPS 2021, theorem 3.5, for integer α.</summary>
    private static double Skellam(double alpha, SkellamEvent e)
    {
        var (mu, l1, l2) = (e.Variance, e.L1Sensitivity, e.L2Sensitivity * e.L2Sensitivity);
        return alpha * l2 / (2 * mu) + Math.Min(((2 * alpha - 1) * l2 + 6 * l1) / (4 * mu * mu), 3 * l1 / (2 * mu));
    }

    /// <summary>Kairouz, Liu, Steinke, ICML 2021, proposition 14 and corollary 15: the least of three bounds.</summary>
    private static double DistributedDiscreteGaussian(double alpha, DistributedDiscreteGaussianEvent e)
    {
        var tau = 0.0;
        for (var k = e.Clients - 1; k >= 1; k--)
        {
            tau += 10 * Math.Exp(-2 * Math.PI * Math.PI * e.LocalVariance * k / (k + 1));
        }

        var deviation = Math.Sqrt(e.LocalVariance * e.Clients);
        var (l1, l2) = (e.L1Sensitivity / deviation, e.L2Sensitivity / deviation);
        var first = 0.5 * alpha * l2 * l2 + tau * e.Dimension;
        var second = 0.5 * alpha * (l2 * l2 + 2 * l1 * tau + tau * tau * e.Dimension);
        var root = l2 + Math.Sqrt(e.Dimension) * tau;
        return Math.Min(first, Math.Min(second, 0.5 * alpha * root * root));
    }

    /// <summary>(α − 1)·D_α is convex in α and zero at 1, so that a bound at integers extends by chords.</summary>
    private static Func<double, double> FromIntegerOrders(Func<double, double> bound) => alpha =>
    {
        var low = Math.Floor(alpha);
        var fraction = alpha - low;
        var below = low == 1 ? 0 : (low - 1) * bound(low);
        return fraction == 0 ? bound(alpha) : ((1 - fraction) * below + fraction * low * bound(low + 1)) / (alpha - 1);
    };

    private static double[] FixedSizeGeneral(FixedSizeSampledEvent sampled, double[] orders)
    {
        if (sampled.Inner is not MechanismEvent mechanism)
        {
            throw new PrivacyException("A fixed-size sample of a sampled event is not accounted: use one sampling scheme.");
        }

        var largest = mechanism switch
        {
            LaplaceEvent e => 1 / e.NoiseMultiplier,
            PureEvent e => e.Epsilon,
            RandomizedResponseEvent e => e.Epsilon,
            _ => double.PositiveInfinity,
        };
        return FixedSizeGaussian.General(sampled.Fraction, Plain(mechanism), largest, orders);
    }
}
