using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// Stochastic aggregation weights: whatever the participation process, each client's weight averages to its intended share, so that
/// the run optimises the intended objective and not one tilted towards the fast.
/// </summary>
/// <remarks>
/// Fraboni, Vidal, Kameni, Lorenzi, "A General Theory for Federated Optimization with Asynchronous and Heterogeneous Clients Updates",
/// JMLR 2023, §3–4 (unbiased weights q̃_i ∝ p_i), https://arxiv.org/abs/2206.10189.
/// Deviation: the paper computes d_i from known round-trip times T_i; here d_i(n) = p_i · (aggregations since client i was last in one),
/// which needs no clock model and has the same time average; for constant T_i under fixed windows it is the paper's ⌈T_i/Δt⌉·p_i
/// exactly. Staleness multiplies on top if a staleness function is set.
/// Cost: O(clients) per update, for the sum of importances.
/// </remarks>
/// <param name="importance">Supplies ω(n) and s(τ); p_i = ω(n_i)/Σ_j ω(n_j) over all clients of the run.</param>
public sealed class ParticipationWeight(IUpdateWeight importance) : IUpdateWeight
{
    public double Weight(ISchedulingContext run, Assignment assignment, UpdateReport report, int staleness) =>
        ClientShares.Of(run, assignment.Client, importance) * (run.Version + 1 - run.Facts(assignment.Client).LastIncludedIn) * importance.Staleness(staleness);

    public double Importance(double examples) => importance.Importance(examples);

    public double Staleness(int staleness) => importance.Staleness(staleness);
}
