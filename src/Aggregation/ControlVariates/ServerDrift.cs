using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Aggregation.ControlVariates;

/// <summary>The server's part of FedDyn and FedSpeed: the mean h of all clients' accumulated drifts, added to the mean of their models.</summary>
/// <remarks>
/// Acar et al., "Federated Learning Based on Dynamic Regularization", ICLR 2021, https://arxiv.org/abs/2111.04263, Algorithm 1; Sun et al.,
/// "FedSpeed", ICLR 2023, https://arxiv.org/abs/2302.10429. Notation: u_i = y_i − w the accepted updates, S their clients, N all clients.
/// h ← h + (|S|/N)·mean_S u; w ← w + mean_S u + h. That is mean_S y + (1/N)·Σ_i h_i with h_i ← h_i + u_i at the clients, as in the authors' code;
/// clients that did not take part keep h_i and stay in the mean. The mean is unweighted. Deviation: none.
/// The authors evaluate both w and mean_S y; the latter, w + mean_S u, behaves better and is what <see cref="Step"/> can also write.
/// Danger: ‖h‖ grows without bound when the clients' rate is too large. Cost: O(d) per version, d values of state, nothing sent.
/// </remarks>
public sealed class ServerDrift<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] drift;

    /// <param name="parameters">d.</param>
    /// <param name="clients">N, all clients of the run, whether they take part in a version or not.</param>
    public ServerDrift(int parameters, int clients)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clients);
        (drift, Clients) = (new T[parameters], clients);
    }

    public int Clients { get; }

    /// <summary>h (d values): what a checkpoint must hold.</summary>
    public Memory<T> Value => drift;

    /// <summary>Makes the next version.</summary>
    /// <param name="model">w (d values), updated in place.</param>
    /// <param name="meanUpdate">Unweighted mean of the accepted updates (d values).</param>
    /// <param name="accepted">|S|, how many updates that mean is over.</param>
    /// <param name="deployed">Receives mean_S y, the model to evaluate and to ship (d values); may be empty.</param>
    public void Step(Span<T> model, ReadOnlySpan<T> meanUpdate, int accepted, Span<T> deployed = default)
    {
        Participation.Check(meanUpdate.Length, drift.Length, accepted);
        TensorPrimitives.MultiplyAdd(meanUpdate, T.CreateTruncating((double)accepted / Clients), drift, drift);
        TensorPrimitives.Add(model, meanUpdate, model);
        if (!deployed.IsEmpty)
        {
            model.CopyTo(deployed);
        }

        TensorPrimitives.Add(model, drift, model);
    }
}
