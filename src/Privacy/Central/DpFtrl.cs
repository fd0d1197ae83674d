using System.Numerics;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central;

/// <summary>
/// DP-FTRL: noise on prefix sums of updates, fed to an ordinary server optimizer as increments. Its guarantee asks for no sampling: only
/// that no client contributes more often, or more densely, than stated, which <see cref="ParticipationGate"/> enforces.
/// </summary>
/// <remarks>
/// Kairouz et al., ICML 2021, Algorithm 1, https://arxiv.org/abs/2103.00039, and Denisov et al., NeurIPS 2022 for the matrix form.
/// <code>
/// release t:  (Σ_i u_i + σ·C·sens·y_t) / denominator,    y = increments of the factorisation's noise
/// one tree or matrix is one Gaussian mechanism of multiplier σ; R of them (restarts) cost σ/√R to a client that is in all
/// </code>
/// Deviation: momentum and learning-rate schedules are the server optimizer's; being linear in the increments, heavy-ball momentum is the
/// paper's momentum variant. Noise is rounded to the updates' grid (post-processing). Cost: the factorisation's.
/// </remarks>
public sealed class DpFtrl<T> : ICentralMechanism<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IFactorization factorization;
    private readonly double sensitivity;
    private readonly double[] deviations;
    private readonly IRandomSource random;
    private readonly T[] increment;
    private CorrelatedNoise<T> noise;

    /// <param name="options">Bound, multiplier, plan of the run.</param>
    /// <param name="dimension">d.</param>
    /// <param name="random">Cryptographic where a guarantee is to be claimed.</param>
    public DpFtrl(DpFtrlOptions options, int dimension, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        if (!(options.NoiseMultiplier > 0) || !(options.ExpectedCohort > 0) || !(options.ClipNorm > 0) || options.Steps < 1)
        {
            throw new PrivacyException(
                $"DP-FTRL needs ClipNorm, NoiseMultiplier, the public ExpectedCohort and Steps above 0; they are {options.ClipNorm}, {options.NoiseMultiplier}, {options.ExpectedCohort}, {options.Steps}.");
        }

        (Options, this.random) = (options, random);
        factorization = CreateFactorization(options);
        sensitivity = factorization.Sensitivity(new Participation(options.MaxParticipations, options.MinSeparation));
        var prefix = factorization.ErrorVariances();
        deviations = [.. prefix.Select(Math.Sqrt)];
        noise = factorization.Start<T>(dimension, random);
        increment = new T[dimension];
    }

    public string Name => CentralMechanisms.DpFtrl;

    public DpFtrlOptions Options { get; }

    public double ClipNorm => Options.ClipNorm;

    public double Denominator => Options.ExpectedCohort;

    /// <summary>Of the sum over the releases since the restart, the next one included, divided by the denominator.</summary>
    public double NextDeviation => noise.Step < factorization.Steps || Options.RestartEvery > 0
        ? deviations[noise.Step % factorization.Steps] * NoiseScale / Denominator
        : 0;

    /// <summary>σ·C·sens(C): what unit noise is multiplied by.</summary>
    public double NoiseScale => Options.NoiseMultiplier * ClipNorm * sensitivity;

    /// <summary>γ, the grid of updates and noise.</summary>
    public double GridStep => GridClip.StepFor(Options.NoiseMultiplier * ClipNorm);

    /// <summary>Releases made.</summary>
    public int Step { get; private set; }

    /// <summary>The noise's state, for a checkpoint.</summary>
    public CorrelatedNoise<T> Noise => noise;

    /// <summary>The multiplier of the whole run for a client that is in every tree: σ/√(number of trees).</summary>
    public static double ChargedMultiplier(DpFtrlOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var trees = options.RestartEvery == 0 ? 1 : (options.Steps + options.RestartEvery - 1) / options.RestartEvery;
        return options.NoiseMultiplier / Math.Sqrt(trees);
    }

    /// <summary>Releases the next step.</summary>
    /// <exception cref="PrivacyException">All planned steps have been released.</exception>
    public void Release(Span<T> sum)
    {
        if (Step == Options.Steps)
        {
            throw new PrivacyException($"The guarantee covers {Options.Steps} releases and all are made: stop the run, or plan and charge more.");
        }

        if (noise.Step == factorization.Steps)
        {
            noise = factorization.Start<T>(increment.Length, random);
        }

        noise.Next(increment);
        GaussianSampler.AddRounded(sum, GridStep, NoiseScale / GridStep, increment);
        VectorMath.Scale(sum, 1 / Denominator);

        Step++;
    }

    /// <summary>Continues from a checkpoint.</summary>
    /// <param name="step">Releases made before it.</param>
    /// <param name="buffers">The noise's buffers then.</param>
    public void Restore(int step, IReadOnlyList<ReadOnlyMemory<T>> buffers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(step, Options.Steps);
        Step = step;
        var within = step % factorization.Steps;
        noise = factorization.Start<T>(increment.Length, random);
        noise.Restore(within == 0 && step > 0 ? factorization.Steps : within, buffers);
    }

    private static IFactorization CreateFactorization(DpFtrlOptions options)
    {
        var steps = options.RestartEvery == 0 ? options.Steps : Math.Min(options.RestartEvery, options.Steps);
        var bands = options.Bands == 0 ? options.MinSeparation : options.Bands;
        return FactorizationNames.Create(options.Factorization, steps, bands, options.Buffers);
    }
}
