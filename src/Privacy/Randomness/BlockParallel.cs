namespace Federated.Privacy.Randomness;

/// <summary>
/// Splits a vector into fixed blocks, each with its own numbered stream, and works on them in parallel: the result does not depend on the
/// number of threads.
/// </summary>
internal static class BlockParallel
{
    /// <summary>2¹⁶ elements: a block of floats and its random bytes stay in a core's second-level cache.</summary>
    public const int BlockLength = 1 << 16;

    public delegate void NoiseBlock<T>(Span<T> block, IRandomSource stream);

    public delegate void IndexedBlock<T>(Span<T> block, int index);

    public static unsafe void ForEachBlock<T>(Span<T> values, IRandomSource random, int maxThreads, NoiseBlock<T> work)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(random);
        using var streams = new RandomStreams(random);
        ForEachBlock(values, maxThreads, (block, index) =>
        {
            using var stream = streams.Open(index);
            work(block, stream);
        });
    }

    /// <param name="maxThreads">0: as many as the machine has.</param>
    public static unsafe void ForEachBlock<T>(Span<T> values, int maxThreads, IndexedBlock<T> work)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxThreads);
        var length = values.Length;
        var blocks = (length + BlockLength - 1) / BlockLength;
        if (blocks <= 1 || maxThreads == 1)
        {
            for (var block = 0; block < blocks; block++)
            {
                work(values.Slice(block * BlockLength, Math.Min(BlockLength, length - (block * BlockLength))), block);
            }

            return;
        }

        fixed (T* start = values)
        {
            var pointer = (nint)start;
            var options = new ParallelOptions { MaxDegreeOfParallelism = maxThreads == 0 ? -1 : maxThreads };
            Parallel.For(0, blocks, options, block =>
            {
                var first = block * BlockLength;
                work(new Span<T>((T*)pointer + first, Math.Min(BlockLength, length - first)), block);
            });
        }
    }
}
