using System.Text.Json.Serialization;

namespace Federated.Aggregation.Robust;

/// <summary>Which robust rule combines the updates, and its settings; <c>kind</c> names it in configuration (see <see cref="RobustRules"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(MedianOptions), RobustRules.Median)]
[JsonDerivedType(typeof(TrimmedMeanOptions), RobustRules.TrimmedMean)]
[JsonDerivedType(typeof(KrumOptions), RobustRules.Krum)]
[JsonDerivedType(typeof(MultiKrumOptions), RobustRules.MultiKrum)]
[JsonDerivedType(typeof(BulyanOptions), RobustRules.Bulyan)]
[JsonDerivedType(typeof(GeometricMedianOptions), RobustRules.GeometricMedian)]
[JsonDerivedType(typeof(CenteredClippingOptions), RobustRules.CenteredClipping)]
[JsonDerivedType(typeof(NormBoundingOptions), RobustRules.NormBounding)]
[JsonDerivedType(typeof(NearestNeighbourMixingOptions), RobustRules.NearestNeighbourMixing)]
[JsonDerivedType(typeof(NearestNeighbourAveragingOptions), RobustRules.NearestNeighbourAveraging)]
public abstract record RobustRuleOptions : AggregatorOptions;

/// <summary>Options of <see cref="CoordinateMedian{T}"/>: it has none.</summary>
public sealed record MedianOptions : RobustRuleOptions;
