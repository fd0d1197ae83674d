namespace Federated.Training.Optimizers;

/// <summary>Names of the learning-rate schedules.</summary>
public static class RateSchedules
{
    /// <summary>No change: choose it to compare algorithms.</summary>
    public const string Constant = "constant";

    /// <summary>Drops at fixed versions: choose it to follow papers that do.</summary>
    public const string Step = "step";

    /// <summary>A factor per version: FedDyn's and FedSpeed's experiments use 0.998.</summary>
    public const string Exponential = "exponential";

    /// <summary>1/√t: choose it for open-ended runs.</summary>
    public const string InverseSquareRoot = "inverse-sqrt";

    /// <summary>Half a cosine: choose it when the run's length is known.</summary>
    public const string Cosine = "cosine";
}
