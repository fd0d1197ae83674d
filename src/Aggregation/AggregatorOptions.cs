using System.Text.Json.Serialization;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Robust;

namespace Federated.Aggregation;

/// <summary>Which aggregator a run has, and its settings; <c>kind</c> names it in configuration (see <see cref="Aggregators"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(WeightedMeanOptions), Aggregators.Mean)]
[JsonDerivedType(typeof(FedNovaOptions), Aggregators.FedNova)]
[JsonDerivedType(typeof(AnarchicMeanOptions), Aggregators.AnarchicMean)]
[JsonDerivedType(typeof(AnarchicMemoryOptions), Aggregators.AnarchicMemory)]
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
[JsonDerivedType(typeof(ShiftedMeanOptions), UpdateCodecs.ShiftedMean)]
public abstract record AggregatorOptions;
