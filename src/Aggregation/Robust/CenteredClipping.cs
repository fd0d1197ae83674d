using System.Collections.Immutable;
using System.Numerics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>
/// Centered clipping: starting from the last aggregate v, move by the mean of the differences x_i − v, each shortened to length τ.
/// </summary>
/// <remarks>
/// Karimireddy, He, Jaggi, "Learning from History for Byzantine Robust Optimization", ICML 2021, Algorithm 1,
/// https://arxiv.org/abs/2012.10333: v ← v + (1/n) Σ (x_i − v)·min(1, τ/‖x_i − v‖), L times.
/// Deviation: none; unweighted as in the paper. The paper feeds client momenta, here come updates: history lies in the centre only.
/// Cost: one read of the n·d inputs per step and one to write. Holds all n updates and, between combinations, the centre (d
/// coordinates, in <see cref="State"/>; zero at first, so that the first aggregate is bounded by τ).
/// Tolerates fewer than half arbitrary updates; each moves the result by at most τ/n per step.
/// </remarks>
public sealed class CenteredClipping<T> : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly CenteredClippingOptions options;
    private readonly T[] centre;

    /// <param name="options">Radius and steps.</param>
    /// <param name="dimension">d, the length of the updates to come.</param>
    public CenteredClipping(CenteredClippingOptions options, int dimension)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(dimension);
        this.options = options is { Radius: > 0 and < double.PositiveInfinity, Steps: >= 1 }
            ? options
            : throw new AggregationException($"Centered clipping needs Radius > 0 and Steps ≥ 1; they were {options.Radius} and {options.Steps}.");
        centre = new T[dimension];
        State = ImmutableDictionary<string, Memory<T>>.Empty.Add("centre", centre);
    }

    public string Name => RobustRules.CenteredClipping;

    public int MinimumCount => 1;

    public IReadOnlyDictionary<string, Memory<T>> State { get; }

    public int Tolerates(int count) => Math.Max(0, (count - 1) / 2);

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, "a mean of none is undefined");
        if (updates.Dimension != centre.Length)
        {
            throw new AggregationException($"Centered clipping was set up for {centre.Length} coordinates, the updates have {updates.Dimension}; make a rule per model.");
        }

        // v is always (a combination of the updates) + (a share of the old centre): only these n + 1 numbers change between steps.
        var n = updates.Count;
        var vectors = new HeldUpdates<T>([.. updates.Vectors, centre]) { Threads = updates.Threads };
        var point = new double[n + 1];
        point[n] = 1;
        for (var step = 0; step < options.Steps; step++)
        {
            var squared = Combination.SquaredDistances(vectors, n, point);
            var share = new double[n];
            var moved = 0.0;
            for (var i = 0; i < n; i++)
            {
                var distance = Math.Sqrt(squared[i]);
                share[i] = (distance <= options.Radius ? 1.0 : options.Radius / distance) / n;
                moved += share[i];
            }

            for (var i = 0; i <= n; i++)
            {
                point[i] = (point[i] * (1 - moved)) + (i < n ? share[i] : 0);
            }
        }

        Combination.Write(vectors, point, 1, result);
        result.CopyTo(centre);
        return new RobustOutcome(n, point.AsSpan(0, n).ToArray().Sum());
    }
}
