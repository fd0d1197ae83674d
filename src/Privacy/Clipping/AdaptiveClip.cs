namespace Federated.Privacy.Clipping;

/// <summary>
/// A clipping bound that follows the γ-quantile of update norms through one noised bit a client. The pair (update sum, bit sum) is one
/// Gaussian mechanism of the multiplier that was asked for: the updates get a little more noise to pay for the bits.
/// </summary>
/// <remarks>
/// Andrew, Thakkar, McMahan, Ramaswamy, "Differentially Private Learning with Adaptive Clipping", NeurIPS 2021, Algorithm 1 and
/// Theorem 1, https://arxiv.org/abs/1905.03871.
/// <code>
/// b_i = 1[‖Δ_i‖ ≤ C] − ½              centred: sensitivity ½ when a client's contribution becomes zero
/// b̃  = (Σ b_i + N(0, σ_b²))/m + ½     m the public expected cohort; clamped to [0, 1]
/// C   ← C·exp(−η_C (b̃ − γ))
/// z_Δ = (z⁻² − (2σ_b)⁻²)^(−½)          noise multiplier of the update sum
/// </code>
/// The bound that clips, the bound that scales the noise and the bound that the bit compares with are the same value, and it changes only in
/// <see cref="Update"/>, after the release. Mutable; one owner.
/// </remarks>
public sealed class AdaptiveClip
{
    private readonly AdaptiveClipOptions options;
    private readonly double expectedCohort;

    /// <param name="options">Quantile, rate, limits.</param>
    /// <param name="expectedCohort">m, a public constant: the expected (not the arrived) number of clients.</param>
    public AdaptiveClip(AdaptiveClipOptions options, double expectedCohort)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!(expectedCohort > 0) || !double.IsFinite(expectedCohort))
        {
            throw new PrivacyException($"Adaptive clipping needs the public expected cohort, more than 0; it is {expectedCohort}.");
        }

        if (!(options.MinBound <= options.InitialBound && options.InitialBound <= options.MaxBound))
        {
            throw new PrivacyException(
                $"The initial bound {options.InitialBound} must lie between MinBound {options.MinBound} and MaxBound {options.MaxBound}.");
        }

        (this.options, this.expectedCohort) = (options, expectedCohort);
        Bound = options.InitialBound;
        BitNoise = options.BitNoise > 0 ? options.BitNoise : DefaultBitNoise(expectedCohort, 0);
    }

    /// <summary>C_t: clip with it, scale noise with it, compare norms with it.</summary>
    public double Bound { get; private set; }

    /// <summary>σ_b.</summary>
    public double BitNoise { get; }

    /// <summary>The sensitivity of the sum of centred bits when one client's contribution becomes zero.</summary>
    public static double BitSensitivity => 0.5;

    /// <summary>
    /// σ_b where none is given: m/20, the paper's (at m = 100 and z = 1 the updates' noise grows by half a percent), but never below
    /// z, where cohorts are small for their noise and the paper's value would cost more than there is: there the bits take a quarter of the budget.
    /// </summary>
    /// <param name="cohort">m.</param>
    /// <param name="multiplier">z.</param>
    public static double DefaultBitNoise(double cohort, double multiplier) => Math.Max(cohort / 20, multiplier);

    /// <summary>z_Δ, the multiplier for the update sum so that sum and bits together cost <paramref name="totalMultiplier"/>.</summary>
    public double UpdateMultiplier(double totalMultiplier)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(totalMultiplier);
        var bits = 2 * BitNoise;
        return bits > totalMultiplier
            ? 1 / Math.Sqrt((1 / (totalMultiplier * totalMultiplier)) - (1 / (bits * bits)))
            : throw new PrivacyException(
                $"The bit noise {BitNoise} costs more than the whole budget: 2*BitNoise must exceed the multiplier {totalMultiplier}. Raise BitNoise or the cohort.");
    }

    /// <summary>What must be charged a round: the multiplier of the joint Gaussian of update sum and bit sum.</summary>
    /// <param name="updateMultiplier">The multiplier that the update sum was really noised with.</param>
    public double ChargedMultiplier(double updateMultiplier)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(updateMultiplier);
        var bits = 2 * BitNoise;
        return 1 / Math.Sqrt((1 / (updateMultiplier * updateMultiplier)) + (1 / (bits * bits)));
    }

    /// <summary>The client's centred bit for a norm before clipping: +½ when it is within the bound, −½ when not. An absent client gives 0.</summary>
    public double Bit(double norm) => norm <= Bound ? 0.5 : -0.5;

    /// <summary>Moves the bound after a release.</summary>
    /// <param name="noisyBitSum">Σ b_i + N(0, σ_b²): noise is added by the caller's mechanism, in every round, the empty ones included.</param>
    public void Update(double noisyBitSum)
    {
        if (!double.IsFinite(noisyBitSum))
        {
            throw new PrivacyException($"The noised bit sum must be finite; it is {noisyBitSum}.");
        }

        var within = Math.Clamp((noisyBitSum / expectedCohort) + 0.5, 0, 1);
        Bound = Math.Clamp(Bound * Math.Exp(-options.LearningRate * (within - options.TargetQuantile)), options.MinBound, options.MaxBound);
    }

    /// <summary>Continues from a stored bound.</summary>
    public void Restore(double bound) => Bound = Math.Clamp(bound, options.MinBound, options.MaxBound);
}
