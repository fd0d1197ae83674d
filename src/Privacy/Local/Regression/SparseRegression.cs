using Federated.Privacy.Accounting;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Regression;

/// <summary>
/// Linear regression with a sparse answer from one (ε, δ)-locally private report a client: no round trips, trust in nobody. Broken by a second
/// report of the same client, which must be charged as another ε.
/// </summary>
/// <remarks>
/// After Zhu, Ding, Aggarwal, Xu, Wang, "Improved Analysis of Sparse Linear Regression in Local Differential Privacy Model", ICLR 2024,
/// https://arxiv.org/abs/2310.07367. Only its abstract was at hand; the protocol is this project's reconstruction
/// (privacy.md §3.5).
/// <code>
/// client   s = xxᵀ as a vector (upper triangle, off-diagonal entries × √2, so that norms are Frobenius's),  c = x·y
///          ‖s − s′‖ ≤ √2·r²,  ‖c − c′‖ ≤ 2·r·τ;  N(0, σ_s²) and N(0, σ_c²) are added, each at √2 times the multiplier of (ε, δ)
/// server   Σ̂, b̂ the means;  w = Σ λᵢ⁻¹·vᵢ⟨vᵢ, b̂⟩ with eigenvalues raised to the noise's spectral norm;  the k largest entries stay
/// </code>
/// Deviation: s and c are one Gaussian mechanism of multiplier (z_s⁻² + z_c⁻²)^−½, exactly, in place of (ε/2, δ/2) each: a quarter less noise.
/// Error grows as d·√k/(√n·ε): polynomial in d, which is proven to be unavoidable here; expect nothing above d ≈ 20.
/// Cost: O(d²) a report, O(d³) for the server once.
/// </remarks>
public sealed class SparseRegression
{
    private readonly SparseRegressionOptions options;
    private readonly double squareDeviation;
    private readonly double productDeviation;

    public SparseRegression(SparseRegressionOptions options)
        : this(options, Math.Sqrt(2) * AnalyticGaussian.NoiseMultiplier((options ?? throw new ArgumentNullException(nameof(options))).Epsilon, options.Delta))
    {
    }

    /// <param name="options">Shape and bounds.</param>
    /// <param name="partMultiplier">z_s = z_c, noise over sensitivity of either part.</param>
    internal SparseRegression(SparseRegressionOptions options, double partMultiplier)
    {
        if (options.Dimension < 1 || options.Sparsity < 1 || options.Sparsity > options.Dimension
            || !(options.FeatureBound > 0) || !(options.TargetBound > 0))
        {
            throw new PrivacyException(
                $"Sparse regression needs 1 ≤ sparsity ≤ dimension and bounds above 0; they are {options.Sparsity}, {options.Dimension}, "
                + $"{options.FeatureBound} and {options.TargetBound}.");
        }

        this.options = options;
        squareDeviation = partMultiplier * SquareSensitivity;
        productDeviation = partMultiplier * ProductSensitivity;
        NoiseMultiplier = AnalyticGaussian.Compose([(partMultiplier, 2)]);
    }

    /// <summary>Numbers in a report: d(d + 1)/2 of xxᵀ, then d of x·y.</summary>
    public int ReportLength => Squares + options.Dimension;

    /// <summary>Multiplier of the whole report as one Gaussian mechanism.</summary>
    public double NoiseMultiplier { get; }

    /// <summary>√2·r²: the farthest that two rows' xxᵀ are apart in Frobenius norm.</summary>
    internal double SquareSensitivity => Math.Sqrt(2) * options.FeatureBound * options.FeatureBound;

    /// <summary>2·r·τ.</summary>
    internal double ProductSensitivity => 2 * options.FeatureBound * options.TargetBound;

    private int Squares => options.Dimension * (options.Dimension + 1) / 2;

    /// <summary>The client's side.</summary>
    /// <param name="features">x, d numbers; anything that is not finite counts as a row of zeros.</param>
    /// <param name="target">y.</param>
    /// <param name="report"><see cref="ReportLength"/> numbers; overwritten.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public void Randomize(ReadOnlySpan<double> features, double target, Span<double> report, IRandomSource random)
    {
        GaussianSampler.Fill(report[..Squares], squareDeviation, random);
        GaussianSampler.Fill(report[Squares..ReportLength], productDeviation, random);
        AddStatistics(features, target, 1, report);
    }

    /// <summary>report ← report + weight·(s, c), clipped but without noise.</summary>
    internal void AddStatistics(ReadOnlySpan<double> features, double target, double weight, Span<double> report)
    {
        if (features.Length != options.Dimension || report.Length != ReportLength)
        {
            throw new PrivacyException(
                $"A report of {options.Dimension} features has {ReportLength} numbers; there are {features.Length} features and {report.Length} numbers.");
        }

        Span<double> x = features.Length <= 256 ? stackalloc double[features.Length] : new double[features.Length];
        features.CopyTo(x);
        L2Clip.Apply(x, options.FeatureBound, maxThreads: 1);
        var y = double.IsNaN(target) ? 0 : Math.Clamp(target, -options.TargetBound, options.TargetBound);
        var next = 0;
        for (var i = 0; i < x.Length; i++)
        {
            report[next++] += weight * x[i] * x[i];
            VectorMath.AddScaled(report.Slice(next, x.Length - i - 1), x[(i + 1)..], weight * Math.Sqrt(2) * x[i]);
            next += x.Length - i - 1;
        }

        VectorMath.AddScaled(report[Squares..], x, weight * y);
    }

    /// <summary>The server's side.</summary>
    /// <param name="sum">Σ of the reports.</param>
    /// <param name="reports">n.</param>
    /// <returns>w, d coefficients of which at most k are not zero.</returns>
    public double[] Estimate(ReadOnlySpan<double> sum, long reports)
    {
        if (sum.Length != ReportLength || reports < 1)
        {
            throw new PrivacyException($"An estimate needs the sum of a report or more, {ReportLength} numbers; there are {sum.Length} of {reports} reports.");
        }

        var d = options.Dimension;
        var matrix = Enumerable.Range(0, d).Select(_ => new double[d]).ToArray();
        var next = 0;
        for (var i = 0; i < d; i++)
        {
            matrix[i][i] = sum[next++] / reports;
            for (var j = i + 1; j < d; j++)
            {
                matrix[i][j] = matrix[j][i] = sum[next++] / (Math.Sqrt(2) * reports);
            }
        }

        var vectors = SymmetricEigen.Decompose(matrix);

        // The noise is a Gaussian orthogonal matrix of off-diagonal variance σ_s²/(2n): its norm is about 2·√d times that deviation.
        var floor = squareDeviation * Math.Sqrt(2.0 * d / reports);
        var weights = new double[d];
        for (var i = 0; i < d; i++)
        {
            var along = 0.0;
            for (var j = 0; j < d; j++)
            {
                along += vectors[i][j] * sum[next + j] / reports;
            }

            VectorMath.AddScaled<double>(weights, vectors[i], along / Math.Max(matrix[i][i], floor));
        }

        var threshold = weights.Select(Math.Abs).OrderDescending().ElementAt(options.Sparsity - 1);
        var kept = 0;
        return [.. weights.Select(w => Math.Abs(w) >= threshold && kept++ < options.Sparsity ? w : 0)];
    }
}
