namespace Federated.Coordinator;

/// <summary>A failure of this project's domain; the message says what was needed, what was there and what to change.</summary>
public sealed class CoordinatorException(string message, Exception? inner = null) : Exception(message, inner);
