using System.Numerics;

namespace Federated.Privacy.Central;

/// <summary>Turns the exact sum of a cohort's clipped updates into a noised mean that may be published.</summary>
/// <remarks>Stateful: one instance a run, one release a model version, none skipped: an empty or failed cohort is released as noise too.</remarks>
public interface ICentralMechanism<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    string Name { get; }

    /// <summary>C: every summand's L2 norm must be at most this.</summary>
    double ClipNorm { get; }

    /// <summary>The public constant that sums are divided by; never the number that arrived.</summary>
    double Denominator { get; }

    /// <summary>Standard deviation, per coordinate, of what the next release adds to the mean.</summary>
    double NextDeviation { get; }

    /// <summary>sum → (sum + noise) / denominator, in place.</summary>
    /// <param name="sum">d coordinates: Σ of the clipped updates, zero for an empty cohort.</param>
    void Release(Span<T> sum);
}
