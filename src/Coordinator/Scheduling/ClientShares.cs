using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>p_i: a client's share of the whole population's importance, not of those that happen to take part.</summary>
public static class ClientShares
{
    /// <summary>ω(n_i)/Σ_j ω(n_j) over all clients of the run; 1/N while nobody's examples are known. O(N): for cross-silo schedulers.</summary>
    public static double Of(ISchedulingContext run, ClientId client, IUpdateWeight weight)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(weight);
        var sum = 0.0;
        for (var i = 0; i < run.ClientCount; i++)
        {
            sum += weight.Importance(run.Facts(new ClientId(i)).Examples);
        }

        return sum > 0 ? weight.Importance(run.Facts(client).Examples) / sum : 1.0 / run.ClientCount;
    }
}
