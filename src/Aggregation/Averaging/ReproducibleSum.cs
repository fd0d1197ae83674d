using System.Numerics;
using System.Runtime.CompilerServices;

namespace Federated.Aggregation.Averaging;

/// <summary>
/// Σ w_i·u_i over vectors, the same to the last bit whatever the order of the additions, the number of threads and the width of the
/// machine's vectors. Holds two longs per coordinate, however many vectors are added, and gives exactly back what is taken out.
/// </summary>
/// <remarks>
/// Demmel and Nguyen, "Parallel Reproducible Summation", IEEE Transactions on Computers 64 (2015), Section 4 (pre-rounded, indexed
/// sums). Deviations: the sums of a bin are 64-bit integers instead of doubles, which leaves room for 2²⁰ terms without carries; the
/// bins follow the largest term of each block of 512 coordinates instead of each single coordinate, which makes them free.
/// Guarantee: a term's error is at most 2^−44 of the largest |w·u| that its block has seen (and 2^−53 of itself, from the
/// product), before one rounding to T. Whatever cannot be summed (NaN, infinity, |w·u| ≥ 2^1011, more than 2²⁰ − 1 terms, a total
/// that T cannot hold) is an <see cref="AggregationException"/>, never a wrong number.
/// Cost: O(d) per vector, O(d) memory (16 B per coordinate). <see cref="AddMany"/> reads each vector once, at memory speed.
/// Not thread-safe; <see cref="AddMany"/> and <see cref="Combine"/> use threads of their own.
/// </remarks>
[SkipLocalsInit]
public sealed unsafe class ReproducibleSum<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Size = BinnedBlock.Coordinates;
    private const int BlocksPerTask = 32;

    private readonly BlockState[] states;
    private readonly long[] storage;
    private readonly long* sums;
    private readonly int floor;
    private bool isBroken;

    /// <param name="dimension">d, the length of every vector.</param>
    /// <param name="finest">
    /// The smallest largest-term that bins are made for; 0 adapts to any. Give it where vectors are taken out again: terms below it
    /// leave nothing behind, so that the sum is to the bit that of the vectors still in it. For example 1: absolute error 2^−45 per term.
    /// </param>
    public ReproducibleSum(int dimension, double finest = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dimension);
        ArgumentOutOfRangeException.ThrowIfNegative(finest);
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
        {
            throw new NotSupportedException($"Parameters are float or double, not {typeof(T).Name}.");
        }

        var blocks = BlocksOf(dimension);
        if ((long)blocks * BinnedBlock.Longs > Array.MaxLength - 8)
        {
            throw new AggregationException($"A sum over {dimension} coordinates is too large; at most {(Array.MaxLength - 8) / BinnedBlock.Longs * Size} fit. Sum parts of the model separately.");
        }

        Dimension = dimension;
        floor = finest > 0 ? Bins.Of(finest) : Bins.Empty;
        states = new BlockState[blocks];
        storage = GC.AllocateUninitializedArray<long>((blocks * BinnedBlock.Longs) + 8, pinned: true);
        sums = Align((long*)Unsafe.AsPointer(ref storage[0]));
        Reset();
    }

    /// <summary>d, the length of every vector.</summary>
    public int Dimension { get; }

    /// <summary>Vectors in the sum: additions less removals since the last <see cref="Reset"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Empties the sum.</summary>
    public void Reset()
    {
        Array.Fill(states, BlockState.Empty);
        Count = 0;
        isBroken = false;
    }

    /// <summary>Adds weight·vector.</summary>
    /// <param name="vector">d coordinates, finite.</param>
    /// <param name="weight">Finite.</param>
    /// <exception cref="AggregationException">The vector cannot be summed; the sum must be <see cref="Reset"/>.</exception>
    public void Add(ReadOnlySpan<T> vector, double weight = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(vector.Length, Dimension);
        Begin(weight);
        Accumulate<Plus>(vector, weight);
        End(1);
    }

    /// <summary>Takes weight·vector, which was added before, out again: exactly.</summary>
    /// <exception cref="AggregationException">The vector cannot be summed; the sum must be <see cref="Reset"/>.</exception>
    public void Remove(ReadOnlySpan<T> vector, double weight = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(vector.Length, Dimension);
        Begin(weight);
        Accumulate<Minus>(vector, weight);
        End(-1);
    }

    /// <summary>
    /// Begins the addition of weight·vector where the vector comes piece by piece, for example from a decoder: it never stands in memory
    /// as a whole. The same bits as <see cref="Add(ReadOnlySpan{T}, double)"/>.
    /// </summary>
    /// <param name="weight">Finite.</param>
    /// <returns>Takes the pieces; the sum can be used again after its <see cref="SumTerm{T}.Complete"/>.</returns>
    public SumTerm<T> BeginTerm(double weight = 1) => BeginTerm(weight, counted: null);

    /// <param name="weight">Finite.</param>
    /// <param name="counted">Called when the term is complete.</param>
    internal SumTerm<T> BeginTerm(double weight, Action? counted)
    {
        Begin(weight);
        return new SumTerm<T>(this, weight, counted);
    }

    /// <summary>Adds Σ weights[i]·vectors[i], reading each vector once; the same bits as adding one at a time.</summary>
    /// <param name="vectors">Each of d coordinates, finite.</param>
    /// <param name="weights">One per vector, finite.</param>
    /// <param name="threads">Threads to use at most.</param>
    /// <exception cref="AggregationException">A vector cannot be summed; the sum must be <see cref="Reset"/>.</exception>
    public void AddMany(ReadOnlySpan<ReadOnlyMemory<T>> vectors, ReadOnlySpan<double> weights, int threads = 1)
    {
        using var pinned = new PinnedVectors<T>(vectors, weights, Dimension);
        Begin(1);
        Run(threads, states.Length, block => pinned.AddTo(block, SumsOf(block), ref states[block], floor));
        End(vectors.Length);
    }

    /// <summary>Writes Σ weights[i]·vectors[i] / divisor without holding sums of d coordinates; the same bits as by a sum.</summary>
    /// <param name="vectors">Each as long as <paramref name="result"/>, finite.</param>
    /// <param name="weights">One per vector, finite.</param>
    /// <param name="divisor">Finite and not 0.</param>
    /// <param name="result">d coordinates; overwritten, with undefined content after an exception.</param>
    /// <param name="threads">Threads to use at most.</param>
    /// <exception cref="AggregationException">A vector cannot be summed.</exception>
    public static void Combine(ReadOnlySpan<ReadOnlyMemory<T>> vectors, ReadOnlySpan<double> weights, double divisor, Memory<T> result, int threads = 1)
    {
        RequireDivisor(divisor);
        var dimension = result.Length;
        using var pinned = new PinnedVectors<T>(vectors, weights, dimension);
        Run(threads, BlocksOf(dimension), block =>
        {
            var local = stackalloc long[BinnedBlock.Longs + 8];
            var aligned = Align(local);
            var state = BlockState.Empty;
            pinned.AddTo(block, aligned, ref state, Bins.Empty);
            var part = result.Span.Slice(block * Size, LengthOf(block, dimension));
            SumFailure.RequireFits<T>(BinnedBlock.Read(aligned, state, divisor, part), part, block);
        });
    }

    /// <summary>Writes sum / divisor and leaves the sum as it is.</summary>
    /// <param name="result">d coordinates; overwritten.</param>
    /// <param name="divisor">Finite and not 0.</param>
    /// <exception cref="AggregationException">A total does not fit T, or an earlier addition failed.</exception>
    public void Read(Span<T> result, double divisor = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(result.Length, Dimension);
        RequireDivisor(divisor);
        RequireWhole();
        for (var block = 0; block < states.Length; block++)
        {
            var part = result.Slice(block * Size, LengthOf(block, Dimension));
            SumFailure.RequireFits<T>(BinnedBlock.Read(SumsOf(block), states[block], divisor, part), part, block);
        }

        // The last block is read through a bare pointer, after the last use of this object.
        GC.KeepAlive(this);
    }

    /// <summary>Adds a block of a term; zeros beyond the vector's end.</summary>
    internal void AddBlock(int block, T* values, double weight)
    {
        var outcome = BinnedBlock.Add<T, Plus>(values, values, weight, SumsOf(block), ref states[block], floor);
        SumFailure.Require(outcome, new ReadOnlySpan<T>(values, LengthOf(block, Dimension)), weight, block);
        GC.KeepAlive(this);
    }

    internal void End(int vectors)
    {
        isBroken = false;
        Count += vectors;
    }

    private static int BlocksOf(int dimension) => (int)(((long)dimension + Size - 1) / Size);

    private static int LengthOf(int block, int dimension) => Math.Min(Size, dimension - (block * Size));

    private static long* Align(long* address) => (long*)(((nint)address + 63) & ~63);

    private static void Run(int threads, int blocks, Action<int> body)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        var tasks = (blocks + BlocksPerTask - 1) / BlocksPerTask;
        void Task(int task)
        {
            for (var block = task * BlocksPerTask; block < Math.Min(blocks, (task + 1) * BlocksPerTask); block++)
            {
                body(block);
            }
        }

        if (threads == 1 || tasks <= 1)
        {
            for (var task = 0; task < tasks; task++)
            {
                Task(task);
            }

            return;
        }

        try
        {
            Parallel.For(0, tasks, new ParallelOptions { MaxDegreeOfParallelism = threads }, Task);
        }
        catch (AggregateException e)
        {
            throw new AggregationException(e.InnerExceptions[0].Message, e.InnerExceptions[0]);
        }
    }

    private void Accumulate<TSign>(ReadOnlySpan<T> vector, double weight)
        where TSign : struct, ISign
    {
        if (weight == 0)
        {
            return;
        }

        fixed (T* values = vector)
        {
            var padded = stackalloc T[Size];
            for (var block = 0; block < states.Length; block++)
            {
                var length = LengthOf(block, Dimension);
                var part = values + ((long)block * Size);
                if (length < Size)
                {
                    new ReadOnlySpan<T>(part, length).CopyTo(new Span<T>(padded, Size));
                    new Span<T>(padded + length, Size - length).Clear();
                    part = padded;
                }

                var outcome = BinnedBlock.Add<T, TSign>(part, part + Size, weight, SumsOf(block), ref states[block], floor);
                SumFailure.Require(outcome, new ReadOnlySpan<T>(part, length), weight, block);
            }
        }

        GC.KeepAlive(this);
    }

    private long* SumsOf(int block) => sums + ((long)block * BinnedBlock.Longs);

    /// <summary>From here until <see cref="End"/> the sum is in pieces; an exception in between leaves it so.</summary>
    private void Begin(double weight)
    {
        RequireFinite(weight);
        RequireWhole();
        isBroken = true;
    }

    private void RequireWhole()
    {
        if (isBroken)
        {
            throw new AggregationException("An addition to this sum failed half-way; call Reset before it is used again.");
        }
    }

    private static void RequireFinite(double weight)
    {
        if (!double.IsFinite(weight))
        {
            throw new ArgumentOutOfRangeException(nameof(weight), weight, "A weight must be finite.");
        }
    }

    private static void RequireDivisor(double divisor)
    {
        if (!double.IsFinite(divisor) || divisor == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(divisor), divisor, "A divisor must be finite and not 0.");
        }
    }
}
