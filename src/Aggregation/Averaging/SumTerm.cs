using System.Numerics;
using Federated.Aggregation.Compression;

namespace Federated.Aggregation.Averaging;

/// <summary>
/// One vector on its way into a <see cref="ReproducibleSum{T}"/>, in pieces of ascending coordinates; coordinates in no piece are 0.
/// </summary>
/// <remarks>Cost: a touched block of 512 coordinates is added once, when the pieces have passed it. Holds one block.</remarks>
public ref struct SumTerm<T> : IUpdateSink<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Size = BinnedBlock.Coordinates;

    private readonly ReproducibleSum<T> sum;
    private readonly double weight;
    private readonly Action? counted;
    private readonly T[] pending = new T[Size];
    private int block = -1;
    private long next;

    internal SumTerm(ReproducibleSum<T> sum, double weight, Action? counted)
    {
        this.sum = sum;
        this.weight = weight;
        this.counted = counted;
    }

    /// <summary>d, the coordinates that the vector may have.</summary>
    public readonly int Dimension => sum.Dimension;

    /// <summary>Takes coordinates <paramref name="offset"/>, offset + 1, ….</summary>
    public unsafe void AddBlock(int offset, scoped ReadOnlySpan<T> values)
    {
        Pass(offset, values.Length);
        while (!values.IsEmpty)
        {
            var piece = values[..Math.Min(values.Length, Size - (offset % Size))];
            if (piece.Length == Size)
            {
                // A whole block, as decoders give them, is added from where it stands.
                MoveTo(-1);
                fixed (T* whole = piece)
                {
                    Add(offset / Size, whole);
                }
            }
            else
            {
                MoveTo(offset / Size);
                piece.CopyTo(pending.AsSpan(offset % Size));
            }

            values = values[piece.Length..];
            offset += piece.Length;
        }
    }

    /// <summary>Takes coordinates at strictly ascending <paramref name="indices"/>.</summary>
    public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<T> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, indices.Length);
        for (var i = 0; i < indices.Length; i++)
        {
            Pass(indices[i], 1);
            MoveTo(indices[i] / Size);
            pending[indices[i] % Size] = values[i];
        }
    }

    /// <summary>Ends the vector: it now counts in the sum.</summary>
    public void Complete()
    {
        MoveTo(-1);
        sum.End(1);
        counted?.Invoke();
    }

    /// <summary>Ends the vector before its first piece, as if it had never begun; afterwards only <see cref="ReproducibleSum{T}.Reset"/> helps.</summary>
    public readonly void Abandon()
    {
        if (next == 0)
        {
            sum.End(0);
        }
    }

    private void Pass(int offset, int length)
    {
        if (offset < next || offset + (long)length > sum.Dimension)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), offset, $"Pieces ascend within {sum.Dimension} coordinates; one of {length} may begin at {next} or later.");
        }

        next = offset + (long)length;
    }

    private unsafe void MoveTo(int wanted)
    {
        if (wanted == block)
        {
            return;
        }

        if (block >= 0)
        {
            fixed (T* values = pending)
            {
                Add(block, values);
            }

            pending.AsSpan().Clear();
        }

        block = wanted;
    }

    private readonly unsafe void Add(int index, T* values)
    {
        if (weight != 0)
        {
            sum.AddBlock(index, values, weight);
        }
    }
}
