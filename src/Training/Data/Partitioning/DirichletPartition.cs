using System.ComponentModel.DataAnnotations;

namespace Federated.Training.Data.Partitioning;

/// <summary>Options of <see cref="DirichletPartitioner"/>.</summary>
public sealed record DirichletPartition : LabelPartition
{
    /// <value>α, the concentration: small makes clients hold few classes, large makes them alike. The default is 0.5. Must be in (0, 1000000].</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double Alpha { get; init; } = 0.5;

    /// <value>Proportions are drawn again until every client has this many examples. The default is 10. Must be in 1..1000000000.</value>
    [Range(1, 1_000_000_000)]
    public int MinExamples { get; init; } = 10;

    /// <value>How often to draw before giving up with an error. The default is 10000. Must be in 1..1000000.</value>
    [Range(1, 1_000_000)]
    public int Attempts { get; init; } = 10_000;
}
