using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>Centered clipping with one step, streaming: the centre of the step is known before the updates come.</summary>
/// <remarks>
/// The rule, its source and what it tolerates are <see cref="CenteredClipping{T}"/>'s. Differences x − v are formed in T, each is added
/// with weight min(1, τ/‖x − v‖), and the centre moves by their mean. Unweighted; updates of weight 0 are left out.
/// Holds O(d): the centre, one difference and the sums (16 B per coordinate), whatever n. Cost: three reads of each update.
/// </remarks>
public sealed class CenteredClippingMean<T> : IAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly double radius;
    private readonly T[] centre;
    private readonly T[] difference;
    private readonly Tally shares = new();
    private readonly ReproducibleSum<T> sum;
    private readonly SortedSet<(int Client, long Sequence)> leftOut = [];

    public CenteredClippingMean(CenteredClippingOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        radius = options is { Radius: > 0 and < double.PositiveInfinity, Steps: 1 }
            ? options.Radius
            : throw new AggregationException($"Streaming centered clipping needs Radius > 0 and Steps = 1; they were {options.Radius} and {options.Steps}. More steps need all updates: use a RobustAggregator.");
        centre = new T[dimension];
        difference = new T[dimension];
        sum = new ReproducibleSum<T>(dimension);
        State = ImmutableDictionary<string, Memory<T>>.Empty.Add("centre", centre);
    }

    public string Name => RobustRules.CenteredClipping;

    public bool IsStreaming => true;

    public int Count => shares.Count + leftOut.Count;

    /// <summary>The last aggregate, <c>centre</c>: what a checkpoint must hold.</summary>
    public IReadOnlyDictionary<string, Memory<T>> State { get; }

    public void Add(in Contribution<T> contribution)
    {
        Guards.RequireWeight(contribution.Weight);
        ArgumentOutOfRangeException.ThrowIfNotEqual(contribution.Delta.Length, centre.Length);
        if (contribution.Weight == 0)
        {
            leftOut.Add((contribution.Client, contribution.Sequence));
            return;
        }

        TensorPrimitives.Subtract(contribution.Delta, centre, difference);
        var distance = Math.Sqrt(SquaredLength.Of<T>(difference));
        var share = distance > radius ? radius / distance : 1;
        sum.Add(difference, share);
        shares.Add(share);
    }

    public CombineReport Combine(Span<T> pseudoGradient)
    {
        Guards.RequireUpdates(shares.Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(pseudoGradient.Length, centre.Length);
        sum.Read(difference, shares.Count);
        TensorPrimitives.Add<T>(centre, difference, centre);
        centre.CopyTo(pseudoGradient);
        var report = new CombineReport(shares.Count, shares.Total / shares.Count)
        {
            LeftOut = [.. leftOut.Select(static left => (left.Client, "weight 0"))],
        };
        sum.Reset();
        shares.Reset();
        leftOut.Clear();
        return report;
    }
}
