namespace Federated.Aggregation.Averaging;

/// <summary>‖a‖₁ of FedNova: how much all of a client's local gradients together count in its update, by local solver.</summary>
/// <remarks>
/// Wang et al., "Tackling the Objective Inconsistency Problem in Heterogeneous Federated Optimization", NeurIPS 2020, Section 4.1,
/// https://arxiv.org/abs/2007.07481, in the recurrence of the authors' code, which also covers momentum together with a proximal term.
/// </remarks>
public static class LocalSolverWeight
{
    /// <summary>The norm after <paramref name="steps"/> local steps; equal to them for plain SGD.</summary>
    /// <param name="steps">K, the local steps.</param>
    /// <param name="momentum">ρ, the local momentum; 0 for none.</param>
    /// <param name="proximal">η·μ, local rate times the weight of the proximal term; 0 for none.</param>
    public static double Of(int steps, double momentum = 0, double proximal = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        ArgumentOutOfRangeException.ThrowIfNegative(momentum);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(momentum, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(proximal);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(proximal, 1);
        if (momentum == 0 && proximal == 0)
        {
            return steps;
        }

        var (carried, norm) = (0.0, 0.0);
        for (var k = 0; k < steps; k++)
        {
            carried = (momentum * carried) + 1;
            norm = (norm * (1 - proximal)) + carried;
        }

        return norm;
    }
}
