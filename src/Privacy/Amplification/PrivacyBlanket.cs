using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>The privacy-blanket bounds of shuffling: δ(ε) ≤ E[(Σ_{i ≤ M} Lᵢ)⁺]/(γn), M ~ Bin(n, γ), L the amplification variable.</summary>
/// <remarks>
/// <para>Balle, Bell, Gascón, Nissim, "The Privacy Blanket of the Shuffle Model", CRYPTO 2019, lemma 12 and section 5.2, https://arxiv.org/abs/1903.02837.</para>
/// <para>
/// Notation: ω blanket distribution, L = (μ_x(W) − e^ε μ_x′(W))/ω(W) with W ~ ω, so E L = −a, a = e^ε − 1; L ≤ b₊, range b, E L² ≤ c. From
/// E[S⁺] = ∫₀^∞ Pr[S ≥ s] ds and a tail inequality linearised at s = 0: Hoeffding gives b²/(4a)·e^(−2ma²/b²), Bennett
/// b₊/ln(1 + ab₊/c)·e^(−(mc/b₊²)·φ(ab₊/c)) with φ(u) = (1 + u)ln(1 + u) − u. Both are averaged over M in closed form.
/// </para>
/// </remarks>
internal static class PrivacyBlanket
{
    public static double Hoeffding(LocalRandomizer randomizer, long reports, double epsilon)
    {
        if (epsilon == 0)
        {
            return 1;
        }

        var gamma = randomizer.Blanket;
        var a = LogSpace.ExpM1(epsilon);
        var b = Variable(randomizer, epsilon).Range;
        return Average(gamma, reports, -2 * a * a / (b * b), b * b / (4 * a));
    }

    public static double Bennett(LocalRandomizer randomizer, long reports, double epsilon)
    {
        if (epsilon == 0)
        {
            return 1;
        }

        var (_, most, square) = Variable(randomizer, epsilon);
        var ratio = LogSpace.ExpM1(epsilon) * most / square;
        var phi = ratio < 1e-3
            ? ratio * ratio * (0.5 - ratio * (1.0 / 6 - ratio * (1.0 / 12 - ratio / 20)))
            : (1 + ratio) * LogSpace.Log1P(ratio) - ratio;
        return Average(randomizer.Blanket, reports, -square / (most * most) * phi, most / LogSpace.Log1P(ratio));
    }

    /// <summary>(1/(γn))·Σ_{m ≥ 1} Pr[M = m]·front·e^(m·exponent) = front·((1 − γ + γe^exponent)^n − (1 − γ)^n)/(γn).</summary>
    private static double Average(double gamma, long reports, double exponent, double front)
    {
        var all = reports * LogSpace.Log1P(gamma * LogSpace.ExpM1(exponent));
        var none = gamma >= 1 ? double.NegativeInfinity : reports * LogSpace.Log1P(-gamma);
        return Math.Min(1, front * Math.Exp(LogSpace.Subtract(all, Math.Min(none, all))) / (gamma * reports));
    }

    /// <summary>Range, largest value and second moment of L.</summary>
    private static (double Range, double Most, double Square) Variable(LocalRandomizer randomizer, double epsilon)
    {
        var (e, e0) = (Math.Exp(epsilon), Math.Exp(randomizer.Epsilon));
        var gamma = randomizer.Blanket;
        if (randomizer.Categories > 0)
        {
            var k = randomizer.Categories;
            var kept = 1 - gamma;
            return (kept * k * (e + 1), gamma * (1 - e) + kept * k, gamma * (2 - gamma) * (e - 1) * (e - 1) + kept * kept * k * (e * e + 1));
        }

        if (gamma > Math.Exp(-randomizer.Epsilon) * (1 + 1e-12))
        {
            // Laplace on [0, 1]: the blanket is the Laplace density's lower envelope.
            var root = Math.Sqrt(e0);
            return (
                (e + 1) * (root - 1 / root),
                root * (1 - e / e0),
                (e * e + 1) / 3 * (2 * root + 1 / e0) - 2 * e * (2 / root - 1 / e0));
        }

        // Any randomiser, whose γ is only known to lie in [e^−ε₀, 1]: the worst end in each place, as in the paper.
        return ((e + 1) * (e0 - 1 / e0), e0 - e / e0, e0 * (e * e + 1) - 2 * gamma * e / (e0 * e0));
    }
}
