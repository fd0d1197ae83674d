using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Compression.Kernels;

/// <summary>A uniformly random set of k out of d indices that follows from a 64-bit seed alone.</summary>
/// <remarks>
/// Floyd's algorithm (Bentley and Floyd, "A Sample of Brilliance", CACM 1987): for j = d − k, …, d − 1 draw t uniformly from 0 … j with
/// <see cref="SeededRandom.NextInt"/> of a generator with that seed, take t, or j when t is taken already. The set is used in ascending
/// order. Cost: k draws and d/8 bytes of scratch.
/// </remarks>
internal static class IndexSampling
{
    /// <summary>Writes the k = <c>indices.Length</c> indices in ascending order.</summary>
    public static void Sample(ulong seed, int dimension, Span<int> indices)
    {
        var random = new SeededRandom(seed);
        var words = (int)(((long)dimension + 63) / 64);
        var taken = ArrayPool<ulong>.Shared.Rent(Math.Max(1, words));
        Array.Clear(taken, 0, words);
        for (var j = dimension - indices.Length; j < dimension; j++)
        {
            var t = random.NextInt(j + 1);
            if ((taken[t >> 6] >> t & 1) != 0)
            {
                t = j;
            }

            taken[t >> 6] |= 1UL << t;
        }

        var next = 0;
        for (var w = 0; w < words; w++)
        {
            for (var bits = taken[w]; bits != 0; bits &= bits - 1)
            {
                indices[next++] = (w << 6) + BitOperations.TrailingZeroCount(bits);
            }
        }

        ArrayPool<ulong>.Shared.Return(taken);
    }
}
