using System.Numerics;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central.Factorizations;

/// <summary>
/// The noise of a factorisation, step by step: increment t is what step t's sum gets, so that the prefix sums carry rows of B·z.
/// </summary>
/// <remarks>
/// Mutable; one owner. <see cref="Buffers"/> and <see cref="Step"/> are the whole state: noise already released cannot be redrawn, so a
/// checkpoint must hold them, and <see cref="Restore"/> continues with fresh randomness for the steps to come.
/// </remarks>
public abstract class CorrelatedNoise<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IRandomSource random;
    private readonly T[][] buffers;

    private protected CorrelatedNoise(int steps, int dimension, int buffers, IRandomSource random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        ArgumentNullException.ThrowIfNull(random);
        (Steps, Dimension, this.random) = (steps, dimension, random);
        this.buffers = new T[buffers][];
        for (var i = 0; i < buffers; i++)
        {
            this.buffers[i] = new T[dimension];
        }
    }

    /// <summary>n.</summary>
    public int Steps { get; }

    /// <summary>d.</summary>
    public int Dimension { get; }

    /// <summary>Increments drawn so far.</summary>
    public int Step { get; private set; }

    /// <summary>The vectors that later noise depends on, d coordinates each.</summary>
    public IReadOnlyList<ReadOnlyMemory<T>> Buffers => [.. buffers.Select(b => (ReadOnlyMemory<T>)b)];

    /// <summary>Writes the noise of the next step.</summary>
    /// <param name="increment">d coordinates; overwritten.</param>
    /// <exception cref="PrivacyException">All n steps have been drawn: start a new mechanism and charge it.</exception>
    public void Next(Span<T> increment)
    {
        if (Step == Steps)
        {
            throw new PrivacyException(
                $"The noise was drawn for {Steps} steps and all are used: restart the factorisation (a further release to charge) or plan a longer one.");
        }

        if (increment.Length != Dimension)
        {
            throw new PrivacyException($"The noise has {Dimension} coordinates; the step has {increment.Length}.");
        }

        Advance(increment, buffers);
        Step++;
    }

    /// <summary>Continues from a checkpoint.</summary>
    public void Restore(int step, IReadOnlyList<ReadOnlyMemory<T>> state)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(step, Steps);
        if (state.Count != buffers.Length || state.Any(b => b.Length != Dimension))
        {
            throw new PrivacyException($"The checkpoint must hold {buffers.Length} vectors of {Dimension} coordinates; it holds {state.Count}.");
        }

        Step = step;
        for (var i = 0; i < buffers.Length; i++)
        {
            state[i].Span.CopyTo(buffers[i]);
        }
    }

    private protected abstract void Advance(Span<T> increment, T[][] buffers);

    /// <summary>Fresh standard normals.</summary>
    private protected void Draw(Span<T> destination)
    {
        destination.Clear();
        GaussianSampler.Add(destination, 1, random);
    }

    /// <summary>target ← target + factor·source.</summary>
    private protected static void AddScaled(Span<T> target, ReadOnlySpan<T> source, double factor) =>
        VectorMath.AddScaled(target, source, factor);
}
