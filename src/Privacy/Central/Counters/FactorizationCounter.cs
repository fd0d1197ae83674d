using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central.Counters;

/// <summary>
/// A counter with the noise of any factorisation: one Gaussian release of the given multiplier over the whole stream. With the square root
/// it has the smallest error known.
/// </summary>
/// <remarks>
/// Fichtenberger, Henzinger, Upadhyay, ICML 2023, https://arxiv.org/abs/2202.11205. The noise is real-valued and rounded to the integers that
/// counts are, which is post-processing. Cost: the factorisation's at d = 1.
/// </remarks>
public sealed class FactorizationCounter : IContinualCounter
{
    private readonly long largest;
    private readonly double scale;
    private readonly double[] variances;
    private readonly CorrelatedNoise<double> noise;
    private double noiseSum;
    private long sum;

    public FactorizationCounter(
        IFactorization factorization, double noiseMultiplier, long largest, Participation participation, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(factorization);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(noiseMultiplier);
        TreeCounter.Check(factorization.Steps, largest, 1);
        this.largest = largest;
        scale = noiseMultiplier * largest * factorization.Sensitivity(participation);
        variances = factorization.ErrorVariances();
        noise = factorization.Start<double>(1, random);
    }

    public int Step => noise.Step;

    public long Add(long value)
    {
        if (value < 0 || value > largest)
        {
            throw new PrivacyException($"A step's value must be between 0 and {largest}, the bound that the noise was scaled to; it is {value}.");
        }

        Span<double> increment = stackalloc double[1];
        noise.Next(increment);
        noiseSum += scale * increment[0];
        sum = checked(sum + value);
        return checked(sum + (long)Math.Round(noiseSum));
    }

    /// <summary>Of the real-valued noise; rounding adds 1/12.</summary>
    public double Variance(int step) => (variances[step - 1] * scale * scale) + (1.0 / 12);
}
