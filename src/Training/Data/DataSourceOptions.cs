using System.Text.Json.Serialization;
using Federated.Training.Data.Generators;
using Federated.Training.Data.Loading;
using Federated.Training.Data.Loading.Csv;

namespace Federated.Training.Data;

/// <summary>Where examples come from; configuration chooses the kind by name.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(DrawnDigitsOptions), DrawnDigits.Name)]
[JsonDerivedType(typeof(CsvSourceOptions), CsvSource.Name)]
[JsonDerivedType(typeof(LeafSourceOptions), LeafSource.Name)]
[JsonDerivedType(typeof(SpeechSourceOptions), SpeechSource.Name)]
[JsonDerivedType(typeof(SyntheticOptions), Synthetic.Name)]
[JsonDerivedType(typeof(SyntheticIidOptions), Synthetic.IidName)]
public abstract record DataSourceOptions;
