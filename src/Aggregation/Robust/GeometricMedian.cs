using System.Numerics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>Geometric median: the point v that minimises Σ α_i ‖v − x_i‖, by smoothed Weiszfeld steps (RFA).</summary>
/// <remarks>
/// Pillutla, Kakade, Harchaoui, "Robust Aggregation for Federated Learning", IEEE Transactions on Signal Processing 2022, Algorithm 2
/// (numbering from memory), https://arxiv.org/abs/1912.13445: v ← Σ β_i x_i / Σ β_i with β_i = α_i / max(ν, ‖v − x_i‖).
/// Deviation: none in the step; of the start, which the paper leaves open, this takes the coordinate-wise median. Since a step never
/// raises the objective g, ‖v − v₀‖ ≤ 2 Σ_honest α_i ‖v₀ − x_i‖ / (1 − 2 α_Byzantine) after any number of steps, up to ν.
/// Cost: one read of the n·d inputs per step and one to write; O(d) extra memory for the start. Holds all n updates.
/// Tolerates arbitrary updates that are fewer than half in number, and in weight when weighted.
/// </remarks>
public sealed class GeometricMedian<T>(GeometricMedianOptions options) : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly GeometricMedianOptions options = Checked(options);
    private readonly CoordinateMedian<T> start = new();

    public string Name => RobustRules.GeometricMedian;

    public int MinimumCount => 1;

    public int Tolerates(int count) => Math.Max(0, (count - 1) / 2);

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, "a median of none is undefined");
        var n = updates.Count;
        var alpha = options.Weighted ? updates.NormalisedWeights() : Enumerable.Repeat(1.0 / n, n).ToArray();
        var origin = new T[updates.Dimension];
        start.Combine(updates, origin);
        var vectors = new HeldUpdates<T>([.. updates.Vectors, origin]) { Threads = updates.Threads };
        var point = new double[n + 1];
        point[n] = 1;
        var before = double.PositiveInfinity;
        for (var step = 0; step < options.Steps; step++)
        {
            var squared = Combination.SquaredDistances(vectors, n, point);
            var objective = 0.0;
            var total = 0.0;
            var pull = new double[n + 1];
            for (var i = 0; i < n; i++)
            {
                var distance = Math.Sqrt(squared[i]);
                var smoothed = Math.Max(options.Smoothing, distance);
                objective += alpha[i] * 0.5 * ((squared[i] / smoothed) + smoothed);
                pull[i] = alpha[i] / smoothed;
                total += pull[i];
            }

            if (before - objective <= options.Tolerance * objective)
            {
                break;
            }

            before = objective;
            for (var i = 0; i < n; i++)
            {
                point[i] = pull[i] / total;
            }

            point[n] = 0;
        }

        Combination.Write(vectors, point, 1, result);
        return new RobustOutcome(n);
    }

    private static GeometricMedianOptions Checked(GeometricMedianOptions options) =>
        options is { Steps: >= 1, Smoothing: > 0 and < double.PositiveInfinity, Tolerance: >= 0 and <= 1 }
            ? options
            : throw new AggregationException($"The geometric median needs Steps ≥ 1, Smoothing > 0 and Tolerance in [0, 1]; they were {options.Steps}, {options.Smoothing} and {options.Tolerance}.");
}
