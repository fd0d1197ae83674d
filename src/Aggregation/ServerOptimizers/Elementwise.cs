using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>One optimizer's rule for some coordinates, written once for vectors; <see cref="Elementwise"/> runs it over a model.</summary>
internal interface IRule<T>
{
    /// <param name="model">w, to be updated.</param>
    /// <param name="gradient">d, the pseudo-gradient in add-form.</param>
    /// <param name="first">First state vector, to be updated.</param>
    /// <param name="second">Second state vector, to be updated; 0 and ignored where an optimizer has only one.</param>
    void Apply(ref Vector<T> model, Vector<T> gradient, ref Vector<T> first, ref Vector<T> second);
}

/// <summary>
/// Runs a rule over all coordinates, in one pass over memory. The last coordinates go through the same vector code, padded, so that
/// no coordinate's result depends on where it stands or on how wide the machine's vectors are.
/// </summary>
internal static class Elementwise
{
    public static void Run<T, TRule>(in TRule rule, Span<T> model, ReadOnlySpan<T> gradient, Span<T> first, Span<T> second = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TRule : struct, IRule<T>
    {
        RequireSameLength(model, gradient, first.Length);
        var width = Vector<T>.Count;
        var hasSecond = !second.IsEmpty;
        var i = 0;
        for (; i <= model.Length - width; i += width)
        {
            Apply(rule, model.Slice(i, width), gradient.Slice(i, width), first.Slice(i, width), hasSecond ? second.Slice(i, width) : default);
        }

        if (i == model.Length)
        {
            return;
        }

        var left = model.Length - i;
        Span<T> padded = stackalloc T[4 * width];
        padded.Clear();
        var (w, d, a, b) = (new Piece(0), new Piece(width), new Piece(2 * width), new Piece(3 * width));
        model[i..].CopyTo(w.In(padded, left));
        gradient[i..].CopyTo(d.In(padded, left));
        first[i..].CopyTo(a.In(padded, left));
        if (hasSecond)
        {
            second[i..].CopyTo(b.In(padded, left));
        }

        Apply(rule, w.In(padded, width), d.In(padded, width), a.In(padded, width), hasSecond ? b.In(padded, width) : default);
        w.In(padded, left).CopyTo(model[i..]);
        a.In(padded, left).CopyTo(first[i..]);
        if (hasSecond)
        {
            b.In(padded, left).CopyTo(second[i..]);
        }
    }

    public static void RequireSameLength<T>(Span<T> model, ReadOnlySpan<T> gradient, int state)
    {
        if (model.Length != state || gradient.Length != state)
        {
            throw new ArgumentException($"The optimizer was made for {state} parameters; the model has {model.Length} and the pseudo-gradient {gradient.Length}.");
        }
    }

    private static void Apply<T, TRule>(in TRule rule, Span<T> model, ReadOnlySpan<T> gradient, Span<T> first, Span<T> second)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TRule : struct, IRule<T>
    {
        var (w, a) = (new Vector<T>(model), new Vector<T>(first));
        var b = second.IsEmpty ? default : new Vector<T>(second);
        rule.Apply(ref w, new Vector<T>(gradient), ref a, ref b);
        w.CopyTo(model);
        a.CopyTo(first);
        if (!second.IsEmpty)
        {
            b.CopyTo(second);
        }
    }

    private readonly record struct Piece(int Start)
    {
        public Span<T> In<T>(Span<T> buffer, int length) => buffer.Slice(Start, length);
    }
}
