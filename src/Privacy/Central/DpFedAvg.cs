using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central;

/// <summary>
/// DP-FedAvg's release: Gaussian noise of deviation z·C on the sum of clipped updates, divided by a public constant. One client's
/// contribution becoming zero moves the sum by at most C, so one release is a Gaussian mechanism of multiplier z.
/// </summary>
/// <remarks>
/// McMahan, Ramage, Talwar, Zhang, "Learning Differentially Private Recurrent Language Models", ICLR 2018, Algorithm 1 with the fixed
/// denominator f̃_f, https://arxiv.org/abs/1710.06963. Deviation: noise is rounded to a grid of z·C/2¹⁶ or finer and updates are expected on
/// it (<see cref="GridClip"/>), so that the released value has no floating-point channel; an update that is not on the grid costs up to half
/// a step of bias, and nothing of the guarantee but the rounding of the sum. Cost: O(d).
/// </remarks>
public sealed class DpFedAvg<T> : ICentralMechanism<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IRandomSource random;
    private readonly AdaptiveClip? adaptive;
    private readonly double updateMultiplier;

    /// <param name="options">Bound, multiplier, denominator.</param>
    /// <param name="random">Cryptographic where a guarantee is to be claimed.</param>
    /// <param name="adaptive">When given, its bound replaces the fixed one, and updates get the noise that pays for the bits.</param>
    public DpFedAvg(DpFedAvgOptions options, IRandomSource random, AdaptiveClip? adaptive = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        if (!(options.NoiseMultiplier > 0) || !(options.ExpectedCohort > 0) || !(options.ClipNorm > 0))
        {
            throw new PrivacyException(
                $"DP-FedAvg needs ClipNorm, NoiseMultiplier and the public ExpectedCohort above 0; they are {options.ClipNorm}, {options.NoiseMultiplier}, {options.ExpectedCohort}.");
        }

        (Options, this.random, this.adaptive) = (options, random, adaptive);
        updateMultiplier = adaptive?.UpdateMultiplier(options.NoiseMultiplier) ?? options.NoiseMultiplier;
    }

    public string Name => CentralMechanisms.DpFedAvg;

    public DpFedAvgOptions Options { get; }

    public double ClipNorm => adaptive?.Bound ?? Options.ClipNorm;

    public double Denominator => Options.ExpectedCohort;

    public double NextDeviation => updateMultiplier * ClipNorm / Denominator;

    /// <summary>The multiplier that one release (updates, and bits where clipping adapts) must be charged at.</summary>
    public double ChargedMultiplier => adaptive?.ChargedMultiplier(updateMultiplier) ?? updateMultiplier;

    /// <summary>γ: clients round to multiples of it (see <see cref="GridClip"/>), and noise is rounded to them.</summary>
    public double GridStep => GridClip.StepFor(updateMultiplier * ClipNorm);

    public void Release(Span<T> sum)
    {
        GaussianSampler.AddOnGrid(sum, GridStep, updateMultiplier * ClipNorm, random);
        VectorMath.Scale(sum, 1 / Denominator);
    }

    /// <summary>Adds the bits' noise and moves the adaptive bound; call it after <see cref="Release"/>, once a release.</summary>
    /// <param name="bitSum">Σ of the clients' centred bits, 0 for an empty cohort.</param>
    public void ReleaseBits(double bitSum)
    {
        if (adaptive is null)
        {
            throw new PrivacyException("This mechanism clips at a fixed bound: there are no bits to release.");
        }

        // The bits are half-integers: on a grid of 1/1024 they are exact, and the noise with them.
        Span<double> bits = [bitSum];
        GaussianSampler.AddOnGrid(bits, 1.0 / 1024, adaptive.BitNoise, random);
        adaptive.Update(bits[0]);
    }
}
