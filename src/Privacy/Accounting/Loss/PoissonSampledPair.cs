using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>(1 − q)Q + qP against Q: a mechanism on a Poisson sample, under add-remove or zero-out.</summary>
/// <remarks>
/// Zhu, Dong, Wang, AISTATS 2022, theorem 11. With α = e^ε: (1 − q)Q + qP − αQ = q·(P − ((α − 1 + q)/q)·Q), and
/// Q − α((1 − q)Q + qP) = c·(Q − (αq/c)·P) with c = 1 − α(1 − q); so both divergences are those of the mechanism at a larger ε.
/// </remarks>
internal sealed class PoissonSampledPair(ProfilePair inner, double probability) : ProfilePair
{
    public override double MinimumLoss => LogMixture(inner.MinimumLoss);

    public override double MaximumLoss => LogMixture(inner.MaximumLoss);

    public override double Forward(double epsilon) => probability * inner.Forward(LogAmplified(epsilon));

    public override double Reverse(double epsilon)
    {
        // c/α = q − (1 − e^−ε); the sample hides everything once it reaches zero.
        var c = probability + LogSpace.ExpM1(-epsilon);
        return c <= 0 ? 0 : Math.Exp(epsilon) * c * inner.Reverse(Math.Max(0, Math.Log(probability / c)));
    }

    public override DominatingPair PoissonSampled(double probabilityOfSample) => new PoissonSampledPair(inner, probability * probabilityOfSample);

    /// <summary>ln((e^ε − 1 + q)/q), without overflow.</summary>
    private double LogAmplified(double epsilon) => epsilon < 30
        ? Math.Max(0, LogSpace.Log1P(LogSpace.ExpM1(epsilon) / probability))
        : epsilon - Math.Log(probability) + LogSpace.Log1P((probability - 1) * Math.Exp(-epsilon));

    /// <summary>ln(1 − q + q·e^loss), without overflow.</summary>
    private double LogMixture(double loss) => loss < 30
        ? LogSpace.Log1P(probability * LogSpace.ExpM1(loss))
        : loss + Math.Log(probability) + LogSpace.Log1P((1 - probability) / probability * Math.Exp(-loss));
}
