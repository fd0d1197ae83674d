using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Accounting;

/// <summary>Options of <see cref="ParticipationAccountant{TClient}"/>.</summary>
public sealed record ParticipationAccountantOptions
{
    /// <summary>δ of every client's guarantee.</summary>
    /// <value>The default is 10⁻⁶. Must be greater than 0 and less than 1; choose it well below one over the number of clients.</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Delta { get; init; } = 1e-6;

    /// <summary>Largest number of participations of one client over the run; a charge beyond it is refused. Bounds the run's guarantee in advance.</summary>
    /// <value>The default is 0: no cap. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int ParticipationCap { get; init; }

    /// <summary>Largest ε that any one client may spend; a charge that would exceed it is refused.</summary>
    /// <value>The default is 0: no budget. Must be 0 or more.</value>
    [Range(0.0, double.MaxValue)]
    public double EpsilonBudget { get; init; }

    /// <summary>Who composes: one of <see cref="Accountants.Names"/>, or empty to choose the exact one where all events are Gaussian and <c>pld</c> otherwise.</summary>
    /// <value>The default is empty.</value>
    public string Accountant { get; init; } = "";
}
