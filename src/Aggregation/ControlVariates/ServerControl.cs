using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Aggregation.ControlVariates;

/// <summary>SCAFFOLD's server control variate c: the mean of the clients' control variates, kept up to date from their changes alone.</summary>
/// <remarks>
/// Karimireddy et al., "SCAFFOLD", ICML 2020, https://arxiv.org/abs/1910.06378, Algorithm 1, line 17: c ← c + (|S|/N)·mean_{i∈S}(c_i⁺ − c_i).
/// Deviation: none. Invariant: when every c_i starts at zero and a client keeps c_i⁺ exactly when its update was accepted, c = (1/N)·Σ_i c_i.
/// The mean is unweighted, as the paper's is; combine the changes with an unweighted, order-independent mean and hand it in here.
/// Cost: O(d) per version; d values of state, sent down with every assignment.
/// </remarks>
public sealed class ServerControl<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] control;

    /// <param name="parameters">d.</param>
    /// <param name="clients">N, all clients of the run, whether they take part in a version or not.</param>
    public ServerControl(int parameters, int clients)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clients);
        (control, Clients) = (new T[parameters], clients);
    }

    public int Clients { get; }

    /// <summary>c (d values): what goes down with an assignment, and what a checkpoint must hold.</summary>
    public Memory<T> Value => control;

    /// <summary>Takes in the changes of one version.</summary>
    /// <param name="meanChange">Unweighted mean of c_i⁺ − c_i over the accepted updates (d values).</param>
    /// <param name="accepted">|S|, how many updates that mean is over.</param>
    public void Apply(ReadOnlySpan<T> meanChange, int accepted)
    {
        Participation.Check(meanChange.Length, control.Length, accepted);
        TensorPrimitives.MultiplyAdd(meanChange, T.CreateTruncating((double)accepted / Clients), control, control);
    }
}
