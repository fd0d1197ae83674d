using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Accounting;

/// <summary>Options of <see cref="PldAccountant"/>.</summary>
public sealed record PldAccountantOptions
{
    /// <summary>Width in nats of the cells to which privacy losses are rounded, always against the mechanism.</summary>
    /// <value>
    /// The default is 0: 10⁻⁴, finer where one step's loss spreads over fewer than four such cells, coarser where the composed loss would
    /// need more than two million of them. Must be in [0, 1].
    /// </value>
    [Range(0.0, 1.0)]
    public double DiscretizationInterval { get; init; }
}
