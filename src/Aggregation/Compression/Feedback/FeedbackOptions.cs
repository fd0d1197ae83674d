using System.Text.Json.Serialization;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>Which feedback a client's encoder has, and its settings; <c>kind</c> names it in configuration (see <see cref="UpdateCodecs"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(NoFeedbackOptions), UpdateCodecs.NoFeedback)]
[JsonDerivedType(typeof(ErrorFeedbackOptions), UpdateCodecs.ErrorFeedback)]
[JsonDerivedType(typeof(Ef21Options), UpdateCodecs.Ef21)]
[JsonDerivedType(typeof(EControlOptions), UpdateCodecs.EControl)]
public abstract record FeedbackOptions;

/// <summary>No memory; there is nothing to set.</summary>
public sealed record NoFeedbackOptions : FeedbackOptions;

/// <summary>Options of <see cref="ErrorFeedback{T}"/>: it has none.</summary>
public sealed record ErrorFeedbackOptions : FeedbackOptions;

/// <summary>Options of <see cref="Ef21{T}"/>: it has none.</summary>
public sealed record Ef21Options : FeedbackOptions;
