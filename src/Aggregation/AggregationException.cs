namespace Federated.Aggregation;

/// <summary>A request to this project that cannot be met; the message says what was needed, what was there and what to change.</summary>
public sealed class AggregationException(string message, Exception? inner = null) : Exception(message, inner);
