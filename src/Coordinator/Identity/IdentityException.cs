namespace Federated.Coordinator.Identity;

/// <summary>Keys, certificates or the identity folder are not as they must be; the message says what was needed, what was there and what to do.</summary>
public sealed class IdentityException(string message, Exception? inner = null) : Exception(message, inner);
