namespace Federated.Aggregation;

/// <summary>Names of the aggregators, as config gives them.</summary>
public static class Aggregators
{
    /// <summary>The weighted mean of FedAvg, FedBuff, FedFix and FedAsync: the one to start with.</summary>
    public const string Mean = "mean";
}
