using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central.Factorizations;

/// <summary>
/// C a lower-triangular Toeplitz matrix given by its first column, zero from some band on. Covers independent noise (identity), the
/// square-root factorisation, its banded truncation and banded matrices optimised for mean error.
/// </summary>
/// <remarks>
/// Square root: Fichtenberger, Henzinger, Upadhyay, "Constant matters: Fine-grained Complexity of Differentially Private Continual
/// Observation", ICML 2023, https://arxiv.org/abs/2202.11205: c₀ = 1, c_k = c_(k−1)(2k−1)/(2k), so that C·C = A and B = C.
/// Bands: Choquette-Choo et al., "(Amplified) Banded Matrix Factorization", NeurIPS 2023, https://arxiv.org/abs/2306.08153, here Toeplitz.
/// <code>
/// noise     y_t = (z_t − Σ_{1≤j&lt;bands, j≤t} c_j·y_(t−j)) / c₀                         bands − 1 vectors of memory
/// sens²     ‖Σ_{j&lt;k} shift(c, j·b)‖²  for |c| non-increasing; else of its running maximum from the right, an upper bound
/// </code>
/// Cost: O(bands·d) a step, (bands − 1)·d memory. With all n bands that is n·d: take <see cref="BufferedLinearToeplitz"/> for large models.
/// </remarks>
public sealed class ToeplitzFactorization : IFactorization
{
    private readonly ImmutableArray<double> coefficients;

    /// <param name="name">As in <see cref="FactorizationNames"/>.</param>
    /// <param name="steps">n.</param>
    /// <param name="coefficients">c₀, c₁, …: at most n of them, c₀ &gt; 0, trailing zeros left out.</param>
    public ToeplitzFactorization(string name, int steps, ImmutableArray<double> coefficients)
    {
        if (steps < 1)
        {
            throw new PrivacyException($"A factorisation needs at least one step; it has {steps}.");
        }

        if (coefficients.IsDefaultOrEmpty || coefficients.Length > steps || !(coefficients[0] > 0) || coefficients.Any(c => !double.IsFinite(c)))
        {
            throw new PrivacyException(
                $"A Toeplitz strategy for {steps} steps needs between 1 and {steps} finite coefficients, the first positive; {coefficients.Length} were given.");
        }

        (Name, Steps, this.coefficients) = (name, steps, coefficients);
    }

    public string Name { get; }

    public int Steps { get; }

    /// <summary>Number of non-zero diagonals of C.</summary>
    public int Bands => coefficients.Length;

    /// <summary>c₀ … of length <see cref="Bands"/>.</summary>
    public ImmutableArray<double> Coefficients => coefficients;

    /// <summary>C = I: independent noise a step, as DP-FedAvg adds; error grows as √t.</summary>
    public static ToeplitzFactorization Identity(int steps) => new(FactorizationNames.Identity, steps, [1]);

    /// <summary>The square root of A: within a constant of optimal for the largest error; bands = n.</summary>
    public static ToeplitzFactorization SquareRoot(int steps) => new(FactorizationNames.SquareRoot, steps, SquareRootCoefficients(steps));

    /// <summary>The square root of A cut to <paramref name="bands"/> diagonals.</summary>
    public static ToeplitzFactorization BandedSquareRoot(int steps, int bands) =>
        new(FactorizationNames.BandedSquareRoot, steps, SquareRootCoefficients(CheckBands(bands, steps)));

    /// <summary>
    /// The banded Toeplitz matrix of least mean squared error, from the truncated square root by L-BFGS; columns normalised to 1.
    /// Cost: O(n·bands) an evaluation, some hundred evaluations (0.1 s at n = 1000, 100 bands).
    /// </summary>
    public static ToeplitzFactorization OptimizedBanded(int steps, int bands) => new(
        FactorizationNames.OptimizedBanded, steps, BandedToeplitzOptimizer.Minimize(SquareRootCoefficients(CheckBands(bands, steps)), steps));

    public double Sensitivity(Participation participation) => ToeplitzSensitivity.Of(coefficients.AsSpan(), Steps, participation);

    public double[] ErrorVariances() => ToeplitzSensitivity.ErrorVariances(coefficients.AsSpan(), Steps);

    public CorrelatedNoise<T> Start<T>(int dimension, IRandomSource random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new Noise<T>(this, dimension, random);

    internal static ImmutableArray<double> SquareRootCoefficients(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var c = new double[count];
        c[0] = 1;
        for (var k = 1; k < count; k++)
        {
            c[k] = c[k - 1] * ((2.0 * k) - 1) / (2.0 * k);
        }

        return ImmutableArray.Create(c);
    }

    private static int CheckBands(int bands, int steps) => bands >= 1 && bands <= steps
        ? bands
        : throw new PrivacyException($"The number of bands must be between 1 and the {steps} steps; it is {bands}.");

    private sealed class Noise<T>(ToeplitzFactorization owner, int dimension, IRandomSource random)
        : CorrelatedNoise<T>(owner.Steps, dimension, owner.Bands - 1, random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private protected override void Advance(Span<T> increment, T[][] buffers)
        {
            Draw(increment);
            var c = owner.coefficients;
            for (var j = 1; j <= Math.Min(Step, c.Length - 1); j++)
            {
                AddScaled(increment, buffers[(Step - j) % buffers.Length], -c[j]);
            }

            if (c[0] != 1)
            {
                VectorMath.Scale(increment, 1 / c[0]);
            }

            if (buffers.Length > 0)
            {
                increment.CopyTo(buffers[Step % buffers.Length]);
            }
        }
    }
}
