namespace Federated.Training;

/// <summary>Data, a model or a partition that cannot be had as asked; the message says what was needed, what was there and what to change.</summary>
public sealed class TrainingException(string message, Exception? inner = null) : Exception(message, inner);
