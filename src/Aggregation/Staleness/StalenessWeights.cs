namespace Federated.Aggregation.Staleness;

/// <summary>Names of the staleness functions.</summary>
public static class StalenessWeights
{
    /// <summary>Staleness is ignored: for synchronous runs, and as the baseline of asynchronous ones.</summary>
    public const string Constant = "constant";

    /// <summary>(1 + τ)^−a: FedBuff's, and the one to start with.</summary>
    public const string Polynomial = "polynomial";

    /// <summary>Full weight up to a bound, hyperbolic decay after: when moderate staleness is known to be harmless.</summary>
    public const string Hinge = "hinge";

    /// <summary>e^(−a·τ): when old updates should vanish quickly but never be cut.</summary>
    public const string Exponential = "exponential";

    /// <summary>Full weight up to a bound, a fixed one (or none) after.</summary>
    public const string Threshold = "threshold";
}
