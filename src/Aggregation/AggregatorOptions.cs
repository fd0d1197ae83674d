using System.Text.Json.Serialization;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation;

/// <summary>Which aggregator a run has, and its settings; <c>kind</c> names it in configuration (see <see cref="Aggregators"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(WeightedMeanOptions), Aggregators.Mean)]
[JsonDerivedType(typeof(FedNovaOptions), Aggregators.FedNova)]
[JsonDerivedType(typeof(AnarchicMeanOptions), Aggregators.AnarchicMean)]
[JsonDerivedType(typeof(AnarchicMemoryOptions), Aggregators.AnarchicMemory)]
public abstract record AggregatorOptions;
