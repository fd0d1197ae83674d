using System.Numerics;
using Federated.Privacy.Accounting;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// Clipping and Gaussian noise on the client: (ε, δ)-locally private in real arithmetic, for vectors where some δ is acceptable. At equal ε its
/// error is ten times <see cref="PrivUnitG{T}"/>'s.
/// </summary>
/// <remarks>
/// Any two updates are neighbours, so the sensitivity is 2C; the deviation is the smallest that suffices (Balle and Wang, ICML 2018,
/// https://arxiv.org/abs/1805.06530). It must not be shuffled for amplification, which is stated for δ = 0.
/// Cost: two passes over d coordinates; above 1 GB/s on two cores, cryptographic noise included.
/// </remarks>
public sealed class LocalGaussian<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="epsilon">ε.</param>
    /// <param name="delta">δ.</param>
    /// <param name="clipNorm">C.</param>
    public LocalGaussian(double epsilon, double delta, double clipNorm)
    {
        L2Clip.CheckBound(clipNorm);
        (Epsilon, Delta, ClipNorm) = (epsilon, delta, clipNorm);
        Deviation = 2 * clipNorm * AnalyticGaussian.NoiseMultiplier(epsilon, delta);
    }

    public double Epsilon { get; }

    public double Delta { get; }

    /// <summary>C.</summary>
    public double ClipNorm { get; }

    /// <summary>Standard deviation of the noise on each coordinate.</summary>
    public double Deviation { get; }

    /// <summary>Clips and adds noise, in place.</summary>
    /// <param name="vector">d coordinates.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    /// <param name="maxThreads">0: as many as the machine has; the result does not depend on it.</param>
    public ClipReport Randomize(Span<T> vector, IRandomSource random, int maxThreads = 0)
    {
        var (factor, report) = L2Clip.Factor(vector, ClipNorm, maxThreads);
        if (factor is > 0 and <= 1e-30)
        {
            BlockParallel.ForEachBlock(vector, maxThreads, (block, _) => L2Clip.Scale(block, factor));
            factor = 1;
        }
        else if (factor == 0)
        {
            vector.Clear(); // zero times NaN is NaN
            factor = 1;
        }

        GaussianSampler.ScaleAndAdd(vector, factor, Deviation, random, maxThreads);
        return report;
    }
}
