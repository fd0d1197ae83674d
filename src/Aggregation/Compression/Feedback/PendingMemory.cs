using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>Named vectors that change in two steps: written beside the committed ones, then swapped in.</summary>
internal sealed class PendingMemory<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[][] committed;
    private readonly T[][] next;
    private bool isPending;

    public PendingMemory(IUpdateCodec<T> codec, int dimension, string feedback, params ReadOnlySpan<string> names)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentOutOfRangeException.ThrowIfNegative(dimension);
        var guarantee = codec.Guarantee(dimension);
        if (guarantee.Contraction <= 0)
        {
            throw new AggregationException(
                $"{feedback} needs a contractive codec, so that what is left over shrinks; {codec.Name} has E‖C(x) − x‖² up to {guarantee.Variance:0.##}‖x‖². Use top-k, random-k with Unbiased = false, or set Contractive.");
        }

        committed = new T[names.Length][];
        next = new T[names.Length][];
        var state = ImmutableDictionary.CreateBuilder<string, Memory<T>>();
        for (var i = 0; i < names.Length; i++)
        {
            committed[i] = new T[dimension];
            next[i] = new T[dimension];
            state[names[i]] = committed[i];
        }

        State = state.ToImmutable();
    }

    /// <summary>The committed vectors; always the same memory.</summary>
    public IReadOnlyDictionary<string, Memory<T>> State { get; }

    public ReadOnlySpan<T> Committed(int index) => committed[index];

    public Span<T> Next(int index) => next[index];

    public void Staged() => isPending = true;

    public void Discard() => isPending = false;

    // Copied rather than swapped: whoever holds State keeps seeing the committed vectors.
    public void Commit()
    {
        if (!isPending)
        {
            throw new InvalidOperationException("There is no message to commit: none was encoded since the last commit or discard.");
        }

        for (var i = 0; i < committed.Length; i++)
        {
            next[i].CopyTo(committed[i], 0);
        }

        isPending = false;
    }

    /// <summary>Forgets the last message, and refuses an update of another length or with NaN or infinities.</summary>
    public void Check(ReadOnlySpan<T> update)
    {
        isPending = false;
        ArgumentOutOfRangeException.ThrowIfNotEqual(update.Length, committed[0].Length);
        CompressionGuards.ThrowIfNotFinite(update);
    }

    /// <summary>target ← a + factor·b.</summary>
    public static void AddScaled(ReadOnlySpan<T> a, T factor, ReadOnlySpan<T> b, Span<T> target) =>
        TensorPrimitives.MultiplyAdd(b, factor, a, target);
}
