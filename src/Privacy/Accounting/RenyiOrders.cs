namespace Federated.Privacy.Accounting;

/// <summary>The Rényi orders used where none are configured.</summary>
public static class RenyiOrders
{
    /// <value>1.1 to 10.9 in steps of 0.1, 11 to 63, 128, 256, 512, 1024: fractional where few steps or little noise put the optimum low.</value>
    public static IReadOnlyList<double> Default { get; } =
    [
        .. Enumerable.Range(11, 99).Select(i => i / 10.0),
        .. Enumerable.Range(11, 53).Select(i => (double)i),
        128, 256, 512, 1024,
    ];
}
