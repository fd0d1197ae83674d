namespace Federated.Coordinator.Storage;

/// <summary>The store cannot give or keep what was asked; the message says what was needed, what was there and what to do.</summary>
public class StorageException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What is stored is not what was written: asking again does not mend it, a backup does.</summary>
public sealed class DamagedException(string message, Exception? inner = null) : StorageException(message, inner);

/// <summary>Another host appended to this run's log: this one must stop, since it no longer knows the run's state.</summary>
public sealed class FencedException(string message, Exception? inner = null) : StorageException(message, inner);

/// <summary>The bytes of a blob are not those that were declared: the sender's fault, not the store's.</summary>
public sealed class BlobMismatchException(string message) : StorageException(message);
