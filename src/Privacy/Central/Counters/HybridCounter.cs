using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central.Counters;

/// <summary>
/// A counter for a stream of unknown length, ε-differentially private per event: epochs of doubling length, each with its own tree; sums of
/// past epochs are their trees' roots.
/// </summary>
/// <remarks>
/// Chan, Shi, Song, "Private and Continual Release of Statistics", ACM TISSEC 2011, §3.4 (hybrid mechanism). Deviation: one tree an epoch
/// serves both of the paper's parts, its root being the epoch's logarithmic count, so that the budget is not halved: an event is in one epoch of
/// 2^e steps and touches its e + 1 nodes. Cost: O(log t) memory; error O(log^1.5 t/ε).
/// </remarks>
public sealed class HybridCounter : IContinualCounter
{
    private readonly double epsilon;
    private readonly long largest;
    private readonly IRandomSource random;
    private TreeCounter epoch;
    private int epochIndex;
    private long before;
    private long last;

    public HybridCounter(double epsilon, long largest, IRandomSource random)
    {
        (this.epsilon, this.largest, this.random) = (epsilon, largest, random);
        epoch = TreeCounter.Pure(epsilon, 1, largest, 1, random);
    }

    public int Step { get; private set; }

    public long Add(long value)
    {
        if (epoch.Step == 1 << epochIndex)
        {
            before = checked(before + last);
            epochIndex++;
            epoch = TreeCounter.Pure(epsilon, 1 << epochIndex, largest, 1, random);
        }

        last = epoch.Add(value);
        Step++;
        return checked(before + last);
    }

    public double Variance(int step)
    {
        var variance = 0.0;
        for (int e = 0, start = 0; start < step; start += 1 << e, e++)
        {
            var within = Math.Min(step - start, 1 << e);
            variance += TreeCounter.Pure(epsilon, 1 << e, largest, 1, random).Variance(within);
        }

        return variance;
    }
}
