using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Federated.Aggregation.Averaging;

/// <summary>Many vectors held in place, to be added block by block: every block of every vector is read once, while its sums are in cache.</summary>
[SkipLocalsInit]
internal sealed unsafe class PinnedVectors<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Size = BinnedBlock.Coordinates;

    private readonly int dimension;
    private readonly List<MemoryHandle> handles;
    private readonly List<(nint Address, double Weight)> vectors;

    public PinnedVectors(ReadOnlySpan<ReadOnlyMemory<T>> memories, ReadOnlySpan<double> weights, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, memories.Length);
        this.dimension = dimension;
        foreach (var memory in memories)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(memory.Length, dimension, nameof(memories));
        }

        foreach (var weight in weights)
        {
            if (!double.IsFinite(weight))
            {
                throw new ArgumentOutOfRangeException(nameof(weights), weight, "A weight must be finite.");
            }
        }

        handles = new List<MemoryHandle>(memories.Length);
        vectors = new List<(nint, double)>(memories.Length);
        for (var i = 0; i < memories.Length; i++)
        {
            if (weights[i] != 0)
            {
                handles.Add(memories[i].Pin());
                vectors.Add(((nint)handles[^1].Pointer, weights[i]));
            }
        }
    }

    public void AddTo(int block, long* sums, ref BlockState state, int floor)
    {
        var start = (long)block * Size;
        var length = (int)Math.Min(Size, dimension - start);
        var padded = stackalloc T[length < Size ? Size : 0];
        for (var i = 0; i < vectors.Count; i++)
        {
            var (address, weight) = vectors[i];
            var values = (T*)address + start;

            // The same block of the next vector, and after the last the next block of the first, is what the processor cannot guess.
            var next = i + 1 < vectors.Count ? (T*)vectors[i + 1].Address + start : (T*)vectors[0].Address + start + Size;
            if (length < Size)
            {
                new ReadOnlySpan<T>(values, length).CopyTo(new Span<T>(padded, Size));
                new Span<T>(padded + length, Size - length).Clear();
                values = next = padded;
            }

            var outcome = BinnedBlock.Add<T, Plus>(values, next, weight, sums, ref state, floor);
            SumFailure.Require(outcome, new ReadOnlySpan<T>(values, length), weight, block);
        }
    }

    public void Dispose() => handles.ForEach(handle => handle.Dispose());
}
