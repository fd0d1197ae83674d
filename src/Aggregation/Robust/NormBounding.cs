using System.Numerics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>Norm bounding: the weighted mean of updates that were shortened to length M where they were longer.</summary>
/// <remarks>
/// Sun, Kairouz, Suresh, McMahan, "Can You Really Backdoor Federated Learning?", 2019, section 4, https://arxiv.org/abs/1911.07963:
/// Σ p_i u_i / max(1, ‖u_i‖/M). Weighted as in the paper (FedAvg weights). The paper's noise is a matter of the privacy policy.
/// Deviation: with <see cref="NormBoundingOptions.OfMedian"/> M follows the median length of the updates at hand; the paper fixes M.
/// Cost: two reads of the n·d inputs. Holds all n updates.
/// Tolerates: bounds the harm, does not remove it: an update of weight share p moves the result by at most p·M. With
/// <see cref="NormBoundingOptions.OfMedian"/> M itself is the honest ones' only while fewer than half are arbitrary.
/// </remarks>
public sealed class NormBounding<T>(NormBoundingOptions options) : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly NormBoundingOptions options = options.Bound is > 0 and < double.PositiveInfinity
        ? options
        : throw new AggregationException($"Norm bounding needs Bound > 0, it was {options.Bound}.");

    public string Name => RobustRules.NormBounding;

    public int MinimumCount => 1;

    public int Tolerates(int count) => options.OfMedian ? Math.Max(0, (count - 1) / 2) : Math.Max(0, count);

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, "a mean of none is undefined");
        var n = updates.Count;
        var lengths = Combination.SquaredDistances(updates, n, new double[n]);
        for (var i = 0; i < n; i++)
        {
            lengths[i] = Math.Sqrt(lengths[i]);
        }

        var bound = options.OfMedian ? options.Bound * Median(lengths) : options.Bound;
        var shares = updates.NormalisedWeights();
        for (var i = 0; i < n; i++)
        {
            shares[i] *= lengths[i] > bound ? bound / lengths[i] : 1;
        }

        Combination.Write(updates, shares, 1, result);
        return new RobustOutcome(n, shares.Sum());
    }

    private static double Median(double[] values)
    {
        var sorted = values.ToArray();
        Array.Sort(sorted);
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
