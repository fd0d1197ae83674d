using System.Collections.Concurrent;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>
/// Compare-exchange steps that bring chosen ranks of n values into place without a data-dependent branch: the same steps serve every
/// coordinate, so that a vector register holds as many coordinates as it has lanes.
/// </summary>
/// <remarks>
/// Batcher's merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, Algorithm M): about n·(log₂n)²/4 steps for any n. Steps
/// that cannot reach a wanted rank are removed, walking the steps backwards (20 values: 97 steps to sort, fewer for the median).
/// </remarks>
internal sealed class SortingNetwork
{
    private static readonly ConcurrentDictionary<(int Count, int First, int End), SortingNetwork> Cache = new();

    private readonly (int Low, int High)[] steps;

    private SortingNetwork(int count, int first, int end)
    {
        Count = count;
        steps = Prune(Batcher(count), count, first, end);
    }

    /// <summary>n.</summary>
    public int Count { get; }

    /// <summary>After step (low, high), row low holds the smaller value of the two and row high the larger.</summary>
    public ReadOnlySpan<(int Low, int High)> Steps => steps;

    /// <summary>The network after which rows <paramref name="first"/> … <paramref name="end"/> − 1 hold the values of those ranks (0 is the smallest).</summary>
    public static SortingNetwork For(int count, int first, int end)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, count);
        return Cache.GetOrAdd((count, first, end), static key => new SortingNetwork(key.Count, key.First, key.End));
    }

    private static List<(int Low, int High)> Batcher(int count)
    {
        var steps = new List<(int, int)>();
        for (var p = 1; p < count; p *= 2)
        {
            for (var k = p; k >= 1; k /= 2)
            {
                for (var j = k % p; j <= count - 1 - k; j += 2 * k)
                {
                    for (var i = 0; i < Math.Min(k, count - j - k); i++)
                    {
                        if ((i + j) / (2 * p) == (i + j + k) / (2 * p))
                        {
                            steps.Add((i + j, i + j + k));
                        }
                    }
                }
            }
        }

        return steps;
    }

    private static (int Low, int High)[] Prune(List<(int Low, int High)> steps, int count, int first, int end)
    {
        var wanted = new bool[count];
        wanted.AsSpan(first..end).Fill(true);
        var kept = new List<(int, int)>(steps.Count);
        for (var s = steps.Count - 1; s >= 0; s--)
        {
            var (low, high) = steps[s];
            if (wanted[low] || wanted[high])
            {
                wanted[low] = wanted[high] = true;
                kept.Add((low, high));
            }
        }

        kept.Reverse();
        return [.. kept];
    }
}
