using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Splits labelled examples over clients. Stateless; all randomness comes from the caller's stream.</summary>
public interface IPartitioner
{
    /// <summary>The name that configuration uses; see <see cref="Partitioners"/>.</summary>
    string Name { get; }

    /// <summary>Client i gets the examples at the indices in entry i; no entry is empty.</summary>
    /// <param name="labels">One label per example, in [0, <paramref name="classes"/>).</param>
    /// <param name="clients">At least 1.</param>
    /// <exception cref="TrainingException">The partition is impossible; the message says what was needed and what was there.</exception>
    int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random);
}
