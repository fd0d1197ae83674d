namespace Federated.Aggregation.Averaging;

/// <summary>What the weighted sum Σ w_i·u_i of the updates is divided by.</summary>
public enum Normalisation
{
    /// <summary>Σ w_i: a mean, as FedAvg takes it with w_i = n_i; weights matter only relative to each other.</summary>
    WeightSum,

    /// <summary>The number of updates, K: FedBuff's rule, in which staleness makes the step shorter.</summary>
    Count,

    /// <summary>A given number, whatever arrives: a goal K that is sometimes not reached, or Σ over all clients.</summary>
    Divisor,

    /// <summary>Nothing: the weights are already the final ones (FedAsync's α·s(τ), FedFix's d_i).</summary>
    None,
}
