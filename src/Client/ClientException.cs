namespace Federated.Client;

/// <summary>A failure of this project's domain; the message says what was needed, what was there and what to change.</summary>
public sealed class ClientException(string message, Exception? inner = null) : Exception(message, inner);
