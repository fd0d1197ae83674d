using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Bandits;

/// <summary>
/// Linear contextual bandits for M silos that learn together: every silo plays the arm of largest optimistic reward under the model of the last
/// synchronisation, and synchronisations publish users' statistics with the noise of the trust model (<see cref="PrivateBatchSums"/>, with the guarantee).
/// </summary>
/// <remarks>
/// Zhou, Chowdhury, "On Differentially Private Federated Linear Contextual Bandits", ICLR 2024, https://arxiv.org/abs/2302.13945; the regression
/// under perturbed statistics as of Shariff and Sheffet, "Differentially Private Contextual Linear Bandits", NeurIPS 2018, https://arxiv.org/abs/1810.00068.
/// <code>
/// H = λI + Σxxᵀ + N + 2Υ·I,  Υ = σ(√(2d) + √(2 ln(2/α)))     the noise's spectral norm with probability 1 − α: H ⪰ (λ + Υ)I + Σxxᵀ
/// θ̂ = H⁻¹(Σxr + h),  ‖h‖ ≤ γ = σ(√d + √(2 ln(2/α)))
/// β = R·√(2 ln(1/α) + d·ln(1 + n/(d(λ + Υ)))) + S·√(λ + 3Υ) + γ/√(λ + Υ)
/// arm = argmax ⟨x, θ̂⟩ + β·√(xᵀH⁻¹x)
/// </code>
/// Deviation: batches are fixed in advance (a synchronisation that depends on determinants, as in earlier work, tells of raw data); eigenvalues below λ, of
/// probability α, are raised to λ. Cost: O(d²) an arm, O(d³) a batch.
/// </remarks>
public sealed class FederatedLinearBandit
{
    private readonly LinearBanditOptions options;
    private readonly PrivateBatchSums sums;
    private readonly double[][] inverse;
    private readonly double[] estimate;

    public FederatedLinearBandit(LinearBanditOptions options, IRandomSource random)
    {
        sums = new PrivateBatchSums(options, random);
        this.options = options;
        inverse = [.. Enumerable.Range(0, options.Dimension).Select(i => Enumerable.Range(0, options.Dimension).Select(j => i == j ? 1 / options.Ridge : 0).ToArray())];
        estimate = new double[options.Dimension];
        Width = WidthAt(0, 0, 0);
    }

    /// <summary>θ̂ of the last synchronisation.</summary>
    public IReadOnlyList<double> Estimate => estimate;

    /// <summary>β of the last synchronisation.</summary>
    public double Width { get; private set; }

    /// <summary>Υ, by which twice the matrix was shifted at the last synchronisation.</summary>
    public double Shift { get; private set; }

    /// <summary>Deviation of a coordinate's noise in what was published last.</summary>
    public double NoiseDeviation => sums.Deviation;

    /// <summary>What is guaranteed to a user; null without noise.</summary>
    public PrivacyGuarantee? Guarantee => sums.Guarantee;

    /// <summary>The index of the arm to play.</summary>
    /// <param name="arms">Features of each arm, norm at most 1.</param>
    public int Choose(IReadOnlyList<double[]> arms)
    {
        ArgumentNullException.ThrowIfNull(arms);
        var (best, most) = (-1, double.NegativeInfinity);
        for (var a = 0; a < arms.Count; a++)
        {
            var x = arms[a];
            var uncertainty = 0.0;
            for (var i = 0; i < x.Length; i++)
            {
                uncertainty += x[i] * VectorMath.Dot<double>(inverse[i], x);
            }

            var index = VectorMath.Dot<double>(x, estimate) + (options.Exploration * Width * Math.Sqrt(Math.Max(0, uncertainty)));
            if (index > most)
            {
                (best, most) = (a, index);
            }
        }

        return best;
    }

    /// <summary>What came of it, for the silo's share of the next synchronisation.</summary>
    public void Observe(int silo, ReadOnlySpan<double> features, double reward) => sums.Add(silo, features, reward);

    /// <summary>Ends the batch for all silos: statistics are published and everybody has the new model.</summary>
    public void Synchronize()
    {
        var published = sums.Publish();
        var d = options.Dimension;
        var matrix = BanditStatistics.Matrix(published, d);
        var vector = BanditStatistics.Vector(published, d);
        var tail = Math.Sqrt(2 * Math.Log(2 / options.Failure));
        Shift = sums.Deviation * (Math.Sqrt(2 * d) + tail);
        for (var i = 0; i < d; i++)
        {
            matrix[i][i] += options.Ridge + (2 * Shift);
        }

        var vectors = SymmetricEigen.Decompose(matrix);
        estimate.AsSpan().Clear();
        foreach (var row in inverse)
        {
            row.AsSpan().Clear();
        }

        for (var e = 0; e < d; e++)
        {
            var weight = 1 / Math.Max(matrix[e][e], options.Ridge);
            VectorMath.AddScaled<double>(estimate, vectors[e], weight * VectorMath.Dot<double>(vectors[e], vector));
            for (var i = 0; i < d; i++)
            {
                VectorMath.AddScaled<double>(inverse[i], vectors[e], weight * vectors[e][i]);
            }
        }

        Width = WidthAt((long)sums.Batch * options.BatchUsers * options.Silos, Shift, sums.Deviation * (Math.Sqrt(d) + tail));
    }

    private double WidthAt(long users, double shift, double gamma)
    {
        var least = options.Ridge + shift;
        return (options.RewardNoise * Math.Sqrt((2 * Math.Log(1 / options.Failure)) + (options.Dimension * Math.Log(1 + (users / (options.Dimension * least))))))
            + (options.ParameterBound * Math.Sqrt(options.Ridge + (3 * shift)))
            + (gamma / Math.Sqrt(least));
    }
}
