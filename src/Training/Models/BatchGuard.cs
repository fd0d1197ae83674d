namespace Federated.Training.Models;

/// <summary>Refuses, before any pointer is taken, what would make a kernel read or write out of bounds.</summary>
internal static class BatchGuard
{
    public static void Check<T>(in Batch<T> batch, int features, int classes)
        where T : unmanaged
    {
        if (batch.Count <= 0 || batch.Labels.Length < batch.Count || batch.Features.Length < (long)batch.Count * features)
        {
            throw new ArgumentException(
                $"A batch of {batch.Count} examples needs at least one example, {batch.Count} labels and {(long)batch.Count * features} features; there are {batch.Labels.Length} and {batch.Features.Length}.",
                nameof(batch));
        }

        foreach (var label in batch.Labels[..batch.Count])
        {
            if ((uint)label >= (uint)classes)
            {
                throw new ArgumentException($"Label {label} is not in 0..{classes - 1}.", nameof(batch));
            }
        }
    }

    public static void CheckLength(int length, int parameters, string name)
    {
        if (length != parameters)
        {
            throw new ArgumentException($"The model has {parameters} parameters; the buffer holds {length}.", name);
        }
    }
}
