using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Aggregation;

/// <summary>The check that stands before every aggregate: one NaN or infinity from one client would become everybody's model.</summary>
/// <remarks>Cost: one vectorised pass, at memory speed.</remarks>
public static class Finite
{
    private const int ChunkElements = 4096;

    /// <summary>Index of the first NaN or infinity; −1 when every element is finite.</summary>
    public static int FirstNonFinite<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var start = 0; start < values.Length; start += ChunkElements)
        {
            var chunk = values.Slice(start, Math.Min(ChunkElements, values.Length - start));
            if (TensorPrimitives.IsFiniteAll(chunk))
            {
                continue;
            }

            for (var i = 0; i < chunk.Length; i++)
            {
                if (!T.IsFinite(chunk[i]))
                {
                    return start + i;
                }
            }
        }

        return -1;
    }

    /// <summary>True when no element is NaN or infinite.</summary>
    public static bool All<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => FirstNonFinite(values) < 0;
}
