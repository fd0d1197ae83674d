using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Aggregation.Parameters;

/// <summary>
/// Where each tensor of a model stands in its one contiguous parameter buffer. Parameters are moved, averaged and stored as that
/// buffer; only readers of single tensors need the layout.
/// </summary>
public sealed class ParameterLayout : IEquatable<ParameterLayout>
{
    private readonly Dictionary<string, TensorSpec> byName;

    private ParameterLayout(ImmutableArray<TensorSpec> tensors)
    {
        Tensors = tensors;
        Count = tensors.Length == 0 ? 0 : checked(tensors[^1].Offset + tensors[^1].Length);
        byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var tensor in tensors)
        {
            // The name's length makes the text unambiguous whatever characters the name holds.
            text.Append(tensor.Name.Length).Append(':').Append(tensor.Name).Append('[').AppendJoin(',', tensor.Shape).Append("]\n");
        }

        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>The tensors in buffer order, without gaps.</summary>
    public ImmutableArray<TensorSpec> Tensors { get; }

    /// <summary>Number of parameters, d.</summary>
    public int Count { get; }

    /// <summary>SHA-256 (lower-case hex) of names and shapes in order: two buffers may be added when their hashes agree.</summary>
    public string Hash { get; }

    public TensorSpec this[string name] => byName.TryGetValue(name, out var tensor)
        ? tensor
        : throw new AggregationException($"No tensor '{name}' in this layout; it has {string.Join(", ", byName.Keys)}.");

    /// <summary>The tensor of that name; null when there is none.</summary>
    public TensorSpec? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Lays the tensors out one after the other in the given order.</summary>
    /// <exception cref="AggregationException">A name twice, a negative extent, or more than 2³¹−1 parameters.</exception>
    public static ParameterLayout Of(params ReadOnlySpan<(string Name, int[] Shape)> tensors)
    {
        var specs = ImmutableArray.CreateBuilder<TensorSpec>(tensors.Length);
        var names = new HashSet<string>(StringComparer.Ordinal);
        long offset = 0;
        foreach (var (name, shape) in tensors)
        {
            if (!names.Add(name))
            {
                throw new AggregationException($"Tensor '{name}' appears twice; names must be unique within a model.");
            }

            long length = 1;
            foreach (var extent in shape)
            {
                if (extent < 0)
                {
                    throw new AggregationException($"Tensor '{name}' has extent {extent}; extents must be 0 or more.");
                }

                // Saturates instead of wrapping: beyond int.MaxValue every number means "too many".
                length = Math.Min(length * extent, 1L << 31);
            }

            if (offset + length > int.MaxValue)
            {
                throw new AggregationException(
                    $"The layout needs more than {int.MaxValue} parameters up to '{name}' [{string.Join(", ", shape)}]; one buffer holds no more.");
            }

            specs.Add(new TensorSpec(name, [.. shape], (int)offset));
            offset += length;
        }

        return new ParameterLayout(specs.ToImmutable());
    }

    public bool Equals(ParameterLayout? other) => other is not null && Hash == other.Hash;

    public override bool Equals(object? obj) => Equals(obj as ParameterLayout);

    public override int GetHashCode() => Hash.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"{Tensors.Length} tensors, {Count} parameters";
}
