namespace Federated.Aggregation.Anarchic;

/// <summary>Options of <see cref="AnarchicMean{T}"/>: none.</summary>
public sealed record AnarchicMeanOptions : AggregatorOptions;
