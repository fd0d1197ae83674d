using System.Numerics;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central.Counters;

/// <summary>
/// The binary mechanism on integers: every completed dyadic interval gets integer noise, every prefix is the sum of at most log₂ n + 1
/// of them. With discrete Laplace noise the whole stream is ε-differentially private; with discrete Gaussian noise it is one Gaussian
/// release. No floating point touches what is published.
/// </summary>
/// <remarks>
/// Chan, Shi, Song, "Private and Continual Release of Statistics", ACM TISSEC 2011, §3.2; Dwork, Naor, Pitassi, Rothblum, "Differential
/// Privacy under Continual Observation", STOC 2010. Deviation: integer noise; user-level privacy by the exact sensitivity of the pattern.
/// Cost: O(log n) memory, about two draws a step. Error: O(log^1.5 n/ε) pure, σ·√(set bits of t) Gaussian.
/// </remarks>
public sealed class TreeCounter : IContinualCounter
{
    private readonly long largest;
    private readonly int steps;
    private readonly Func<IRandomSource, long> draw;
    private readonly double nodeVariance;
    private readonly IRandomSource random;
    private readonly long[] nodes;
    private long noise;
    private long sum;

    private TreeCounter(int steps, long largest, Func<IRandomSource, long> draw, double nodeVariance, IRandomSource random)
    {
        (this.steps, this.largest, this.draw, this.nodeVariance, this.random) = (steps, largest, draw, nodeVariance, random);
        nodes = new long[Levels(steps)];
    }

    public int Step { get; private set; }

    /// <summary>ε-DP over the whole stream.</summary>
    /// <param name="epsilon">ε.</param>
    /// <param name="steps">n.</param>
    /// <param name="largest">The most that one unit adds to one step.</param>
    /// <param name="contributions">Steps that one unit may touch: 1 for event-level privacy.</param>
    /// <param name="random">Source of the noise.</param>
    public static TreeCounter Pure(double epsilon, int steps, long largest, int contributions, IRandomSource random)
    {
        Check(steps, largest, contributions);
        var law = DiscreteLaplace.ForEpsilon(epsilon, checked((ulong)largest * (ulong)Levels(steps) * (ulong)contributions));
        return new TreeCounter(steps, largest, law.Next, law.Variance, random);
    }

    /// <summary>One Gaussian release of multiplier <paramref name="noiseMultiplier"/> over the whole stream.</summary>
    public static TreeCounter Gaussian(double noiseMultiplier, int steps, long largest, Participation participation, IRandomSource random)
    {
        Check(steps, largest, 1);
        var law = DiscreteGaussian.FromSigma(noiseMultiplier * largest * Math.Sqrt(TreeSensitivity.Squared(steps, participation)));
        return new TreeCounter(steps, largest, law.Next, law.Variance, random);
    }

    public long Add(long value)
    {
        if (value < 0 || value > largest)
        {
            throw new PrivacyException($"A step's value must be between 0 and {largest}, the bound that the noise was scaled to; it is {value}.");
        }

        if (Step == steps)
        {
            throw new PrivacyException($"The counter was planned for {steps} steps and all are used: plan a longer one, or use HybridCounter.");
        }

        var height = BitOperations.TrailingZeroCount(~(uint)Step);
        for (var h = 0; h < height; h++)
        {
            noise -= nodes[h];
        }

        nodes[height] = draw(random);
        noise = checked(noise + nodes[height]);
        sum = checked(sum + value);
        Step++;
        return checked(sum + noise);
    }

    public double Variance(int step) => BitOperations.PopCount((uint)step) * nodeVariance;

    internal static int Levels(int steps) => BitOperations.Log2((uint)steps) + 1;

    internal static void Check(int steps, long largest, int contributions)
    {
        if (steps < 1 || largest < 1 || contributions < 1)
        {
            throw new PrivacyException(
                $"A counter needs at least one step, a largest value and contributions of 1 or more; they are {steps}, {largest}, {contributions}.");
        }
    }
}
