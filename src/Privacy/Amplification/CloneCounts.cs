using Federated.Privacy.Numerics;

namespace Federated.Privacy.Amplification;

/// <summary>The probabilities of a binomial count in a window around its mean, and of its being outside.</summary>
internal sealed class CloneCounts
{
    private readonly double[] probabilities;

    private CloneCounts(long first, double[] probabilities, double outside)
    {
        First = first;
        this.probabilities = probabilities;
        Outside = outside;
    }

    /// <value>Smallest count of the window.</value>
    public long First { get; }

    /// <value>Largest count of the window.</value>
    public long Last => First + probabilities.Length - 1;

    /// <value>Probability of a count outside the window.</value>
    public double Outside { get; }

    /// <summary>Probability of a count; zero outside the window.</summary>
    public double this[long count] => count >= First && count <= Last ? probabilities[count - First] : 0;

    public static CloneCounts Of(long trials, double probability, double deviations)
    {
        var mean = trials * probability;
        // The second term covers skewed, Poisson-like counts.
        var reach = deviations * Math.Sqrt(mean * (1 - probability)) + deviations * deviations / 3;
        var first = (long)Math.Max(0, Math.Floor(mean - reach));
        var last = (long)Math.Min(trials, Math.Ceiling(mean + reach));
        var probabilities = new double[last - first + 1];
        var mode = Math.Clamp((long)mean, first, last);
        probabilities[mode - first] = BinomialDistribution.Pmf(mode, trials, probability);
        var odds = probability / (1 - probability);
        for (var c = mode; c < last; c++)
        {
            probabilities[c + 1 - first] = probabilities[c - first] * (trials - c) / (c + 1) * odds;
        }

        for (var c = mode; c > first; c--)
        {
            probabilities[c - 1 - first] = probabilities[c - first] * c / (trials - c + 1) / odds;
        }

        var outside = BinomialDistribution.LowerTail(first - 1, trials, probability) + BinomialDistribution.UpperTail(last + 1, trials, probability);
        return new CloneCounts(first, probabilities, outside);
    }
}
