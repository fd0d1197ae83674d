using System.Numerics;
using System.Numerics.Tensors;
using Federated.Aggregation.Randomness;

namespace Federated.Coordinator.Models;

/// <summary>What one published version looked like. NaN where nothing was measured.</summary>
/// <param name="StepNorm">ℓ2 norm of the change that the server optimizer made.</param>
/// <param name="Agreement">Mean cosine between an update and the aggregate that it went into.</param>
public readonly record struct AggregateMeasures(double StepNorm, double Agreement)
{
    public static AggregateMeasures None { get; } = new(double.NaN, double.NaN);

    /// <summary>Updates that the aggregator did not use, and why; null in a run whose policy would not have that told.</summary>
    public IReadOnlyList<(int Client, string Reason)>? LeftOut { get; init; }
}

/// <summary>
/// Measures updates and versions for people who watch: lengths exactly, cosines from sketches, since an update is gone before the
/// aggregate that it went into is known. Nothing of it reaches the run.
/// </summary>
/// <remarks>
/// A sketch is a random projection to m = 1024 sums of signed coordinates (Charikar, Chen, Farach-Colton, "Finding Frequent Items in Data
/// Streams", 2002): ⟨sketch x, sketch y⟩ is unbiased for ⟨x, y⟩ with standard deviation of at most √2·‖x‖·‖y‖/√m, so a single cosine is
/// right to about ±0.03 and a mean over a version is better; with d ≤ m it is exact.
/// Cost: one pass over each update and three over each version; m numbers per update until its version is published, and d numbers.
/// </remarks>
public sealed class AggregateProbe<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Buckets = 1024;
    private const int MostSketches = 512;

    private readonly T[] signs;
    private readonly T[] before;
    private readonly T[] signed = new T[Buckets];
    private readonly List<T[]> sketches = [];

    public AggregateProbe(ReadOnlySpan<T> parameters)
    {
        before = parameters.ToArray();

        // Each block of coordinates takes its signs from another place of one table.
        var random = SeededRandom.Derive(0, "sketch");
        signs = new T[65 * Buckets];
        for (var i = 0; i < signs.Length; i++)
        {
            signs[i] = (random.NextUInt64() & 1) == 0 ? T.One : -T.One;
        }
    }

    /// <summary>An update is folded in.</summary>
    /// <returns>Its ℓ2 norm.</returns>
    public double Take(ReadOnlySpan<T> delta)
    {
        if (sketches.Count < MostSketches)
        {
            sketches.Add(Sketch(delta));
        }

        return double.CreateChecked(TensorPrimitives.Norm(delta));
    }

    /// <summary>A version was published.</summary>
    public AggregateMeasures Publish(ReadOnlySpan<T> pseudoGradient, ReadOnlySpan<T> parameters)
    {
        var step = double.CreateChecked(TensorPrimitives.Distance(parameters, before));
        parameters.CopyTo(before);
        var aggregate = Sketch(pseudoGradient);
        var (sum, count) = (0.0, 0);
        foreach (var sketch in sketches)
        {
            var cosine = double.CreateChecked(TensorPrimitives.CosineSimilarity<T>(sketch, aggregate));
            (sum, count) = double.IsFinite(cosine) ? (sum + cosine, count + 1) : (sum, count);
        }

        sketches.Clear();
        return new AggregateMeasures(step, count == 0 ? double.NaN : sum / count);
    }

    private T[] Sketch(ReadOnlySpan<T> vector)
    {
        var sketch = new T[Buckets];
        var phase = 0;
        for (var start = 0; start < vector.Length; start += Buckets)
        {
            var block = vector[start..Math.Min(start + Buckets, vector.Length)];
            TensorPrimitives.Multiply(block, signs.AsSpan(phase, block.Length), signed);
            TensorPrimitives.Add<T>(sketch.AsSpan(0, block.Length), signed.AsSpan(0, block.Length), sketch);
            phase = (phase + 1021) % (signs.Length - Buckets);
        }

        return sketch;
    }
}
