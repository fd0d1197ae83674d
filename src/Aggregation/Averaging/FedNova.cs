using System.Numerics;

namespace Federated.Aggregation.Averaging;

/// <summary>
/// FedNova: each update is divided by the steps that made it before it is averaged, so that clients that do more steps do not pull the
/// optimum their way; the mean is stretched by the average number of steps again.
/// </summary>
/// <remarks>
/// Wang, Liu, Liang, Joshi, Poor, "Tackling the Objective Inconsistency Problem in Heterogeneous Federated Optimization", NeurIPS 2020,
/// equations (6) to (8), https://arxiv.org/abs/2007.07481. Notation: u_i update, p_i = w_i/Σw weight, a_i accumulated step weights of the
/// local solver (‖a_i‖₁ = K_i for plain SGD; <see cref="LocalSolverWeight"/> gives the others'). Result: τ_eff·Σ p_i·u_i/‖a_i‖₁ with
/// τ_eff = Σ p_i·‖a_i‖₁. Deviation: none with default options. The client sends its plain update; the division happens here.
/// Cost: as <see cref="WeightedMean{T}"/>. With equal ‖a_i‖₁ it is FedAvg.
/// </remarks>
public sealed class FedNova<T> : IPiecewiseAggregator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly FedNovaOptions options;
    private readonly ReproducibleSum<T> sum;
    private readonly Tally weights = new();
    private readonly Tally steps = new();
    private readonly Tally shares = new();

    /// <param name="dimension">d, the length of every update.</param>
    /// <param name="options">Settings.</param>
    public FedNova(int dimension, FedNovaOptions? options = null)
    {
        this.options = options ?? new FedNovaOptions();
        sum = new ReproducibleSum<T>(dimension);
    }

    public string Name => Aggregators.FedNova;

    public bool IsStreaming => true;

    public int Count => weights.Count;

    public void Add(in Contribution<T> contribution)
    {
        var (share, effective) = SharesOf(contribution);
        sum.Add(contribution.Delta, share);
        Tell(contribution.Weight, share, effective);
    }

    public SumTerm<T> Begin(in Contribution<T> description)
    {
        var (share, effective) = SharesOf(description);
        var weight = description.Weight;
        return sum.BeginTerm(share, () => Tell(weight, share, effective));
    }

    public CombineReport Combine(Span<T> pseudoGradient)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pseudoGradient.Length, sum.Dimension);
        Guards.RequireUpdates(Count);
        var total = weights.Total;
        Guards.RequireWeightSum(total, Count);

        // τ_eff·Σ p_i u_i/a_i = (Σ w_i a_i / W)·(Σ (w_i/a_i)·u_i / W).
        var divisor = total * total / steps.Total;
        sum.Read(pseudoGradient, divisor);
        var report = new CombineReport(Count, shares.Total / divisor);
        sum.Reset();
        weights.Reset();
        steps.Reset();
        shares.Reset();
        return report;
    }

    private (double Share, double Effective) SharesOf(in Contribution<T> contribution)
    {
        Guards.RequireWeight(contribution.Weight);
        var stepWeight = contribution.StepWeight != 0 ? contribution.StepWeight : contribution.LocalSteps;
        Guards.RequireSteps(stepWeight, Name, contribution.Client);
        var effective = options.EffectiveSteps == EffectiveSteps.LocalSteps ? contribution.LocalSteps : stepWeight;
        Guards.RequireSteps(effective, Name, contribution.Client);
        return (contribution.Weight / stepWeight, effective);
    }

    private void Tell(double weight, double share, double effective)
    {
        shares.Add(share);
        steps.Add(weight * effective);
        weights.Add(weight);
    }
}
