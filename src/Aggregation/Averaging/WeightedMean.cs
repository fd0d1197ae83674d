using System.Numerics;

namespace Federated.Aggregation.Averaging;

/// <summary>Weighted mean of updates, streaming: the aggregator of FedAvg, FedBuff, FedFix and FedAsync, which differ in weights and divisor.</summary>
/// <remarks>
/// FedAvg: McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized
/// Data", AISTATS 2017, Algorithm 1, https://arxiv.org/abs/1602.05629: Σ n_i·u_i / Σ n_i.
/// FedBuff: Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation", AISTATS 2022, Algorithm 1,
/// https://arxiv.org/abs/2106.06639: Σ s(τ_i)·u_i / K.
/// Deviation: none; FedAvg averages models, which for normalised weights is the same as adding the mean update to the base.
/// Cost: O(d) per update and O(d) memory (16 B per coordinate), allocated at the first <see cref="Add"/>; <see cref="CombineMany"/>
/// holds nothing. Accuracy and refusals are <see cref="ReproducibleSum{T}"/>'s.
/// </remarks>
public sealed class WeightedMean<T> : IPiecewiseAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int dimension;
    private readonly WeightedMeanOptions options;
    private readonly Tally weights = new();
    private ReproducibleSum<T>? sum;

    /// <param name="dimension">d, the length of every update.</param>
    /// <param name="options">What to divide by; FedAvg's when left out.</param>
    public WeightedMean(int dimension, WeightedMeanOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dimension);
        this.dimension = dimension;
        this.options = options ?? new WeightedMeanOptions();
        if (this.options.Problem() is { } problem)
        {
            throw new AggregationException(problem);
        }
    }

    public string Name => Aggregators.Mean;

    public bool IsStreaming => true;

    public int Count => weights.Count;

    public void Add(in Contribution<T> contribution)
    {
        Guards.RequireWeight(contribution.Weight);
        Sum.Add(contribution.Delta, contribution.Weight);
        weights.Add(contribution.Weight);
    }

    public SumTerm<T> Begin(in Contribution<T> description)
    {
        Guards.RequireWeight(description.Weight);
        var weight = description.Weight;
        return Sum.BeginTerm(weight, () => weights.Add(weight));
    }

    public CombineReport Combine(Span<T> pseudoGradient)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pseudoGradient.Length, dimension);
        var divisor = DivisorOf(weights);
        Sum.Read(pseudoGradient, divisor);
        var report = new CombineReport(Count, weights.Total / divisor);
        Sum.Reset();
        weights.Reset();
        return report;
    }

    /// <summary>
    /// Combines updates that are all in memory: each is read once and no sums are kept, with the same bits as adding them one by one.
    /// </summary>
    /// <param name="deltas">Each of d coordinates, finite.</param>
    /// <param name="weights">One per delta, ≥ 0.</param>
    /// <param name="pseudoGradient">d coordinates; overwritten.</param>
    /// <param name="threads">Threads to use at most; any number gives the same bits.</param>
    public CombineReport CombineMany(ReadOnlySpan<ReadOnlyMemory<T>> deltas, ReadOnlySpan<double> weights, Memory<T> pseudoGradient, int threads = 1)
    {
        if (Count > 0)
        {
            throw new AggregationException($"{Count} updates were added and not combined; combine them before or after, not together with others.");
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(pseudoGradient.Length, dimension);
        var tally = new Tally();
        foreach (var weight in weights)
        {
            Guards.RequireWeight(weight);
            tally.Add(weight);
        }

        var divisor = DivisorOf(tally);
        ReproducibleSum<T>.Combine(deltas, weights, divisor, pseudoGradient, threads);
        return new CombineReport(tally.Count, tally.Total / divisor);
    }

    private ReproducibleSum<T> Sum => sum ??= new ReproducibleSum<T>(dimension);

    private double DivisorOf(Tally tally)
    {
        Guards.RequireUpdates(tally.Count);
        if (options.Normalisation == Normalisation.WeightSum)
        {
            Guards.RequireWeightSum(tally.Total, tally.Count);
        }

        return options.Normalisation switch
        {
            Normalisation.WeightSum => tally.Total,
            Normalisation.Count => tally.Count,
            Normalisation.Divisor => options.Divisor!.Value,
            _ => 1,
        };
    }
}
