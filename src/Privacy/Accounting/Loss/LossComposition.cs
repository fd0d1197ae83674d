using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>
/// The sum of independent privacy losses, one direction: each part drawn <c>Count</c> times. Answers δ(ε) and ε(δ) as upper bounds.
/// </summary>
/// <remarks>
/// <para>
/// Koskela, Jälkö, Honkela, "Computing Tight Differential Privacy Guarantees Using FFT", AISTATS 2020. Deviation: the masses are first
/// tilted by e^(θ·loss) with θ at the exponent of the question's moment bound, so that the transform's rounding is relative to δ itself and a
/// δ of 10⁻¹⁵ is as good as one of 10⁻⁵.
/// </para>
/// <para>
/// Notation: K(λ) = Σ Tᵢ ln E[e^(λLᵢ)]; tilted measure P̃ ∝ e^(θL)·P; window [lo, hi] with P̃(L &lt; lo), P̃(L &gt; hi) ≤ τ by Chernoff; N ≥ window
/// cells. What is added to δ(ε), all in units of e^(K(θ) − θε): 2τ for mass that the window misses or that wraps around, and the
/// transform's rounding (see <see cref="TransformError"/>). Cost: O(Σ cells + N log N) per question.
/// </para>
/// </remarks>
internal sealed class LossComposition
{
    // Shares of δ that the window and, as first estimated, the rounding may take: in ε a hundred times less than a cell.
    private const double TailShare = 1e-8;
    private const double RoundingShare = 1e-6;
    private const double TypicalRounding = 1e-13;
    private const int LargestTransform = 1 << 24;

    private readonly IReadOnlyList<(LossMasses Masses, long Count)> parts;
    private readonly double step;
    private readonly double infinity;
    private (double Delta, Tilt Tilt) planned = (double.NaN, default);

    public LossComposition(IReadOnlyList<(LossMasses Masses, long Count)> parts)
    {
        this.parts = parts;
        step = parts[0].Masses.Step;
        // 1 − Π(1 − m)^T, without cancellation.
        infinity = -LogSpace.ExpM1(parts.Sum(part => part.Count * LogSpace.Log1P(-part.Masses.Infinity)));
    }

    /// <summary>The largest finite loss.</summary>
    private double LargestLoss => parts.Sum(part => part.Count * Math.Max(0, part.Masses.MaximumLoss));

    /// <summary>Number of cells that a question at this δ would need.</summary>
    public double WindowCells(double delta)
    {
        planned = (delta, TiltForDelta(delta));
        var (low, high) = Window(planned.Tilt);
        return high - low;
    }

    /// <summary>Upper bound of the smallest ε with δ(ε) ≤ delta; +∞ where none exists.</summary>
    public double Epsilon(double delta)
    {
        if (infinity > delta)
        {
            return double.PositiveInfinity;
        }

        return delta == 0 ? LargestLoss : Math.Min(LargestLoss, Compose(planned.Delta == delta ? planned.Tilt : TiltForDelta(delta)).Epsilon(delta - infinity));
    }

    /// <summary>Upper bound of δ(ε).</summary>
    public double Delta(double epsilon)
    {
        if (epsilon >= LargestLoss)
        {
            return infinity;
        }

        return Math.Min(1, infinity + Compose(TiltForEpsilon(epsilon)).Delta(epsilon));
    }

    private TiltedLoss Compose(Tilt tilt)
    {
        if (parts is [(var only, 1)])
        {
            return TiltedLoss.Untilted(only);
        }

        var theta = tilt.Theta;
        var (low, high) = Window(tilt);
        var cells = high - low + 1;
        if (cells > LargestTransform)
        {
            throw new PrivacyException(
                $"The composed loss spreads over {cells:G3} cells of {step:G3}, more than the {LargestTransform} that are transformed: "
                + "use a coarser discretisation interval, or the rdp accountant.");
        }

        var fft = RealFft.OfLength((int)Math.Max(64, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)cells)));
        Spectrum? product = null;
        var samples = new double[fft.Length];
        var logMoment = 0.0;
        var norms = new double[parts.Count];
        for (var k = 0; k < parts.Count; k++)
        {
            var (masses, count) = parts[k];
            var tilted = new double[masses.Mass.Length];
            logMoment += count * masses.Tilt(theta, tilted);
            Array.Clear(samples);
            var position = FloorMod(masses.Low, fft.Length);
            foreach (var mass in tilted)
            {
                samples[position] += mass;
                position = position + 1 == fft.Length ? 0 : position + 1;
            }

            norms[k] = Norm(samples);
            var factor = new Spectrum(fft.Frequencies);
            fft.Forward(samples, factor.Real, factor.Imaginary);
            factor.Power(count);
            product?.Multiply(factor);
            product ??= factor;
        }

        var error = TransformError(fft, product!, norms);
        fft.Inverse(product!.Real, product.Imaginary, samples);
        // The logarithm of each moment is good to a few roundings; T of them add up, and always upwards.
        var slack = parts.Sum(part => (double)part.Count) * 4e-16;
        return new TiltedLoss(samples, (long)low, step, theta, logMoment + slack, 2 * tilt.Tail, error);
    }

    /// <summary>
    /// Bound of the rounding error of one cell of the tilted result, to first order: each transform errs by η in relative L2 norm, so by
    /// Parseval Σₖ Tₖ·η·‖pₖ‖·‖rest‖ + η·‖result‖ from the transforms, and T roundings of the powers.
    /// </summary>
    private double TransformError(RealFft fft, Spectrum product, double[] norms)
    {
        var meanMagnitude = product.MeanMagnitude(fft.Length);
        var count = 0.0;
        var transforms = 0.0;
        for (var k = 0; k < parts.Count; k++)
        {
            // |rest| ≤ |product|^((T−1)/T) ≤ |product|^½ for T ≥ 2, and at most any other part's own spectrum.
            var rest = parts[k].Count >= 2 ? Math.Sqrt(meanMagnitude) : 1;
            for (var j = 0; j < parts.Count; j++)
            {
                rest = j == k ? rest : Math.Min(rest, norms[j]);
            }

            transforms += parts[k].Count * norms[k] * rest;
            count += parts[k].Count;
        }

        return fft.RelativeError * (transforms + Math.Sqrt(meanMagnitude)) + 3e-16 * (count + parts.Count) * meanMagnitude;
    }

    private double LogMoment(double lambda)
    {
        var sum = 0.0;
        foreach (var (masses, count) in parts)
        {
            sum += count * masses.LogMoment(lambda);
        }

        return sum;
    }

    /// <summary>The tilt for ε(δ), from the exponent at which the moment bound of ε is smallest.</summary>
    private Tilt TiltForDelta(double delta)
    {
        double Bound(double lambda) => (LogMoment(lambda) + LogPeak(lambda) - Math.Log(delta)) / lambda;
        var best = GoldenSection.MinimizeLog(1e-3, LargestTilt, Bound);
        return Choose(best, Bound(best), Math.Log(delta));
    }

    /// <summary>The tilt for δ(ε), from the exponent at which the moment bound of δ is smallest.</summary>
    private Tilt TiltForEpsilon(double epsilon)
    {
        double Bound(double lambda) => LogMoment(lambda) + LogPeak(lambda) - lambda * epsilon;
        var best = GoldenSection.MinimizeLog(1e-3, LargestTilt, Bound);
        return Choose(best, epsilon, Math.Min(0, Bound(best)));
    }

    /// <summary>
    /// The smallest part of the best exponent that keeps rounding negligible: the full one makes rare large losses so likely that the
    /// window has to hold several of them.
    /// </summary>
    private Tilt Choose(double best, double epsilon, double logDelta)
    {
        foreach (var part in (ReadOnlySpan<double>)[0.25, 0.375, 0.5, 0.75, 1])
        {
            var theta = part * best;
            var logUnit = LogMoment(theta) - theta * epsilon - logDelta;
            if (part == 1 || Math.Log(TypicalRounding / -LogSpace.ExpM1(-theta * step)) + logUnit < Math.Log(RoundingShare))
            {
                return new Tilt(theta, Math.Exp(Math.Clamp(Math.Log(TailShare) - logUnit, Math.Log(1e-16), Math.Log(1e-6))));
            }
        }

        throw new System.Diagnostics.UnreachableException();
    }

    /// <summary>ln max_x (1 − e^(−x))·e^(−λx), which turns E[e^(λL)] into a bound of E[(1 − e^(ε−L))⁺] that is tight for bounded losses.</summary>
    private static double LogPeak(double lambda) => -lambda * LogSpace.Log1P(1 / lambda) - LogSpace.Log1P(lambda);

    /// <summary>A tilt by more than e per cell only moves within one cell.</summary>
    private double LargestTilt => 1 / step;

    private (double Low, double High) Window(Tilt tilt)
    {
        var (theta, logTail) = (tilt.Theta, -Math.Log(tilt.Tail));
        var atTilt = LogMoment(theta);
        var upper = GoldenSection.MinimizeLogValue(1e-3, LargestTilt, mu => (LogMoment(theta + mu) - atTilt + logTail) / mu);
        var lower = GoldenSection.MinimizeLogValue(1e-3, LargestTilt, mu => (LogMoment(theta - mu) - atTilt + logTail) / mu);
        var (least, most) = (0.0, 0.0);
        foreach (var (masses, count) in parts)
        {
            least += count * (double)masses.Low;
            most += count * (double)(masses.Low + masses.Mass.Length - 1);
        }

        return (Math.Max(least, Math.Floor(-lower / step)), Math.Min(most, Math.Ceiling(upper / step)));
    }

    private static double Norm(double[] values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += value * value;
        }

        return Math.Sqrt(sum);
    }

    private static int FloorMod(long value, int modulus) => (int)(((value % modulus) + modulus) % modulus);

    /// <param name="Theta">θ, at least 0.</param>
    /// <param name="Tail">τ: tilted probability that may lie beyond each end of the window.</param>
    private readonly record struct Tilt(double Theta, double Tail);
}
