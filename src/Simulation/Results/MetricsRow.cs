namespace Federated.Simulation.Results;

/// <summary>One evaluation of one version: a row of <c>metrics.csv</c>.</summary>
public sealed record MetricsRow
{
    public required int Version { get; init; }

    /// <summary>Publishes so far; equals the version for every scheduler of today, and stays the x-axis when one publishes partial rounds.</summary>
    public required int Round { get; init; }

    /// <summary>Seconds on the virtual clock.</summary>
    public required double VirtualSeconds { get; init; }

    /// <summary>Seconds on the real clock since the run began.</summary>
    public required double WallSeconds { get; init; }

    /// <summary>Share of the pooled test set that is classified correctly.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Mean loss over the pooled test set.</summary>
    public required double Loss { get; init; }

    /// <summary>Updates accepted so far.</summary>
    public required long ClientUpdates { get; init; }

    public required long BytesUp { get; init; }

    public required long BytesDown { get; init; }

    /// <summary>Mean staleness of the updates folded in since the row before; 0 when there were none.</summary>
    public required double MeanStaleness { get; init; }

    /// <summary>ε spent so far; NaN in a run without privacy.</summary>
    public double Epsilon { get; init; } = double.NaN;
}
