using System.ComponentModel.DataAnnotations;

namespace Federated.Training.Data.Partitioning;

/// <summary>Options of <see cref="ClientDirichletPartitioner"/>.</summary>
public sealed record ClientDirichletPartition : LabelPartition
{
    /// <value>α, the concentration of each client's class distribution. The default is 0.5. Must be in (0, 1000000].</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double Alpha { get; init; } = 0.5;

    /// <value>How many examples each client gets. The default is equal sizes.</value>
    public ClientSizes Sizes { get; init; } = new EqualSizes();
}

/// <summary>Options of <see cref="ReplacementDirichletPartitioner"/>.</summary>
public sealed record ReplacementDirichletPartition : LabelPartition
{
    /// <value>α, the concentration of each client's class distribution; 0 gives each client one class. The default is 0.5. Must be in [0, 1000000].</value>
    [Range(0.0, 1e6)]
    public double Alpha { get; init; } = 0.5;

    /// <value>Examples of each client. The default is the training set's size divided by the clients, at least 1. Must be in 1..1000000000.</value>
    [Range(1, 1_000_000_000)]
    public int? ExamplesPerClient { get; init; }
}
