using System.Text.Json.Serialization;
using Federated.Training.Data.Generators;

namespace Federated.Training.Data;

/// <summary>Where examples come from; configuration chooses the kind by name.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(DrawnDigitsOptions), DrawnDigits.Name)]
public abstract record DataSourceOptions;
