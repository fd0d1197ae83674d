using System.Collections.Immutable;

namespace Federated.Aggregation.Parameters;

/// <summary>One named tensor inside a flat parameter buffer.</summary>
/// <param name="Name">Name as in a PyTorch state_dict, for example <c>fc1.weight</c>.</param>
/// <param name="Shape">Extent of each dimension, outermost first (row-major); empty for a scalar.</param>
/// <param name="Offset">First element's index in the buffer.</param>
public sealed record TensorSpec(string Name, ImmutableArray<int> Shape, int Offset)
{
    /// <summary>Number of elements.</summary>
    public int Length { get; } = Shape.Contains(0) ? 0 : checked((int)Shape.Aggregate(1L, (product, extent) => checked(product * extent)));

    /// <summary>The tensor's elements within <paramref name="buffer"/>, without a copy.</summary>
    public Span<T> In<T>(Span<T> buffer) => buffer.Slice(Offset, Length);

    /// <summary>The tensor's elements within <paramref name="buffer"/>, without a copy.</summary>
    public ReadOnlySpan<T> In<T>(ReadOnlySpan<T> buffer) => buffer.Slice(Offset, Length);

    public bool Equals(TensorSpec? other) =>
        other is not null && Name == other.Name && Offset == other.Offset && Shape.SequenceEqual(other.Shape);

    public override int GetHashCode() => HashCode.Combine(Name, Offset, Shape.Length);
}
