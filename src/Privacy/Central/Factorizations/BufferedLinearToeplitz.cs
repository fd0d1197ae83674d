using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central.Factorizations;

/// <summary>
/// C⁻¹ a Toeplitz matrix whose column is a sum of a few exponentials, so that the noise of a run of any length needs as many vectors of
/// memory as there are exponentials: the square-root factorisation for models too large for bands.
/// </summary>
/// <remarks>
/// Dvijotham, McMahan, Pillutla, Steinke, Thakurta, "Efficient and Near-Optimal Noise Generation for Streaming Differential Privacy",
/// FOCS 2024, https://arxiv.org/abs/2404.16706.
/// <code>
/// C⁻¹(x) = 1 + Σ_i ω_i x/(1 − θ_i x)          y_t = z_t + Σ_i ω_i·buf_i ;  buf_i ← θ_i·buf_i + z_t        0 &lt; θ_i &lt; 1
/// √(1−x) ≈ (1−x)·Σ_k h·e^(kh)/(1 − x + e^(2kh))   a sinc quadrature of ∫ e^t/(1−x+e^(2t)) dt
/// </code>
/// Deviation: parameters by that quadrature (privacy.md §1.4), not by further optimisation for n. C itself, for the sensitivity, is the
/// inverse filter's response to an impulse. Error with 3 buffers at n = 1000: 4 % above the square root. Cost: O(buffers·d) a step.
/// </remarks>
public sealed class BufferedLinearToeplitz : IFactorization
{
    private readonly ImmutableArray<double> weights;
    private readonly ImmutableArray<double> decays;
    private readonly double[] strategy;

    /// <param name="steps">n.</param>
    /// <param name="weights">ω_i of C⁻¹.</param>
    /// <param name="decays">θ_i, distinct, in (0, 1).</param>
    public BufferedLinearToeplitz(int steps, ImmutableArray<double> weights, ImmutableArray<double> decays)
    {
        if (steps < 1 || weights.IsDefaultOrEmpty || weights.Length != decays.Length)
        {
            throw new PrivacyException(
                $"Buffered linear Toeplitz noise needs a step or more and as many weights as decays; steps {steps}, {weights.Length} weights, {decays.Length} decays.");
        }

        if (decays.Any(d => !(d > 0 && d < 1)) || decays.Order().Zip(decays.Order().Skip(1)).Any(p => p.Second - p.First < 1e-9))
        {
            throw new PrivacyException($"Decays must lie in (0, 1), at least 1e-9 apart; they are {string.Join(", ", decays)}.");
        }

        (Steps, this.weights, this.decays) = (steps, weights, decays);
        strategy = Strategy();
    }

    public string Name => FactorizationNames.BufferedLinear;

    public int Steps { get; }

    /// <summary>c₀ = 1, c₁, … of C, n of them.</summary>
    public ReadOnlySpan<double> Coefficients => strategy;

    /// <summary>Parameters from the rational approximation of √(1−x) with <paramref name="buffers"/> poles.</summary>
    public static BufferedLinearToeplitz RationalApproximation(int steps, int buffers)
    {
        if (buffers is < 1 or > 16)
        {
            throw new PrivacyException($"The number of buffers must be between 1 and 16; it is {buffers}.");
        }

        var below = (buffers + 1) / 2;
        var h = 1.6 * Math.PI / Math.Sqrt(2.0 * (below + 1));
        var decays = new double[buffers];
        var masses = new double[buffers];
        for (var i = 0; i < buffers; i++)
        {
            var k = i - below;
            decays[i] = 1 / (1 + Math.Exp(2 * k * h));
            masses[i] = Math.Exp(k * h) * decays[i];
        }

        // (1−x)/(1−θx) = 1 − (1−θ)·x/(1−θx); divide by the total so that C⁻¹(0) = 1.
        var total = masses.Sum();
        return new BufferedLinearToeplitz(
            steps, [.. masses.Zip(decays, (mass, decay) => -mass * (1 - decay) / total)], [.. decays]);
    }

    public double Sensitivity(Participation participation) => ToeplitzSensitivity.Of(strategy, Steps, participation);

    public double[] ErrorVariances()
    {
        var variances = new double[Steps];
        var state = new double[decays.Length];
        double sum = 0, prefix = 0;
        for (var t = 0; t < Steps; t++)
        {
            // b = prefix sums of the response of C⁻¹ to an impulse.
            var x = t == 0 ? 1.0 : 0.0;
            prefix += x + Inner(state);
            Push(state, x);
            sum += prefix * prefix;
            variances[t] = sum;
        }

        return variances;
    }

    public CorrelatedNoise<T> Start<T>(int dimension, IRandomSource random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new Noise<T>(this, dimension, random);

    private double[] Strategy()
    {
        var c = new double[Steps];
        var state = new double[decays.Length];
        for (var t = 0; t < Steps; t++)
        {
            c[t] = (t == 0 ? 1.0 : 0.0) - Inner(state);
            Push(state, c[t]);
        }

        return c;
    }

    private double Inner(double[] state)
    {
        var sum = 0.0;
        for (var i = 0; i < state.Length; i++)
        {
            sum += weights[i] * state[i];
        }

        return sum;
    }

    private void Push(double[] state, double value)
    {
        for (var i = 0; i < state.Length; i++)
        {
            state[i] = (decays[i] * state[i]) + value;
        }
    }

    private sealed class Noise<T>(BufferedLinearToeplitz owner, int dimension, IRandomSource random)
        : CorrelatedNoise<T>(owner.Steps, dimension, owner.decays.Length, random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        /// <summary>Coordinates worked on at a time: a block of noise and of each buffer stays in the first-level cache.</summary>
        private const int BlockLength = 1024;

        private readonly T[] fresh = new T[BlockLength];

        private protected override void Advance(Span<T> increment, T[][] buffers)
        {
            Draw(increment);
            for (var start = 0; start < increment.Length; start += BlockLength)
            {
                var block = increment.Slice(start, Math.Min(BlockLength, increment.Length - start));
                block.CopyTo(fresh);
                for (var i = 0; i < buffers.Length; i++)
                {
                    // y ← y + ω·buf;  buf ← θ·buf + z
                    var state = buffers[i].AsSpan(start, block.Length);
                    VectorMath.AddScaled(block, state, owner.weights[i]);
                    VectorMath.Scale(state, owner.decays[i]);
                    VectorMath.AddScaled(state, fresh.AsSpan(0, block.Length), 1);
                }
            }
        }
    }
}
