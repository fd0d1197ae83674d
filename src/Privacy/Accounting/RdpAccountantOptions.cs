namespace Federated.Privacy.Accounting;

/// <summary>Options of <see cref="RdpAccountant"/>.</summary>
public sealed record RdpAccountantOptions
{
    /// <summary>Rényi orders at which the divergence is evaluated; the best one is used for each conversion.</summary>
    /// <value>The default is 1.1 to 10.9 in steps of 0.1, 11 to 63, 128, 256, 512 and 1024. Every order must be greater than 1.01.</value>
    public IReadOnlyList<double> Orders { get; init; } = RenyiOrders.Default;
}
