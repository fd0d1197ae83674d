namespace Federated.Aggregation.Staleness;

/// <summary>s(τ): how much an update counts that was computed from a model τ versions old.</summary>
public interface IStalenessWeight
{
    string Name { get; }

    /// <param name="staleness">τ ≥ 0: versions published since the update's base version; 0 for a fresh update.</param>
    /// <returns>A factor ≥ 0.</returns>
    double Of(int staleness);
}
