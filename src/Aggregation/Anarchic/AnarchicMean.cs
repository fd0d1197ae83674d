using System.Numerics;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Anarchic;

/// <summary>AFA-CD: the mean of the arrived clients' mean local gradients, whatever steps each has chosen to do.</summary>
/// <remarks>
/// Yang, Zhang, Khanduri, Liu, "Anarchic Federated Learning", ICML 2022, Algorithm 1 (cross-device), https://arxiv.org/abs/2108.09875.
/// Notation: client i does K_i local steps of rate η_L and G_i is the mean of its gradients, so that u_i = −η_L·K_i·G_i. Result:
/// (1/m)·Σ w_i·u_i/K_i = −η_L·(1/m)·Σ w_i·G_i over the m arrivals; the server's learning rate is the paper's η.
/// Deviation: a scheduler's weights w_i multiply the gradients; the paper's are 1. Written from a description; no public code is known.
/// Cost: as <see cref="WeightedMean{T}"/>. Unbiased when arrivals are uniform over clients; otherwise see <see cref="AnarchicMemory{T}"/>.
/// </remarks>
public sealed class AnarchicMean<T> : IPiecewiseAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ReproducibleSum<T> sum;
    private readonly Tally shares = new();

    /// <param name="dimension">d, the length of every update.</param>
    public AnarchicMean(int dimension) => sum = new ReproducibleSum<T>(dimension);

    public string Name => Aggregators.AnarchicMean;

    public bool IsStreaming => true;

    public int Count => shares.Count;

    public void Add(in Contribution<T> contribution)
    {
        var share = ShareOf(contribution);
        sum.Add(contribution.Delta, share);
        shares.Add(share);
    }

    public SumTerm<T> Begin(in Contribution<T> description)
    {
        var share = ShareOf(description);
        return sum.BeginTerm(share, () => shares.Add(share));
    }

    public CombineReport Combine(Span<T> pseudoGradient)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pseudoGradient.Length, sum.Dimension);
        Guards.RequireUpdates(Count);
        sum.Read(pseudoGradient, Count);
        var report = new CombineReport(Count, shares.Total / Count);
        sum.Reset();
        shares.Reset();
        return report;
    }

    private double ShareOf(in Contribution<T> contribution)
    {
        Guards.RequireWeight(contribution.Weight);
        Guards.RequireSteps(contribution.LocalSteps, Name, contribution.Client);
        return contribution.Weight / contribution.LocalSteps;
    }
}
