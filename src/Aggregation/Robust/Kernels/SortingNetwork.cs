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
    private readonly (int Low, int High)[] rest;

    private SortingNetwork(int count, int first, int end)
    {
        Sixteens = count / 16;
        HasEight = count % 16 >= 8;
        var all = Batcher(count);
        steps = Prune(all.Select(static step => (step.Low, step.High)), count, first, end);
        rest = Prune(all.Where(step => !IsPresorted(step)).Select(static step => (step.Low, step.High)), count, first, end);
    }

    /// <summary>After step (low, high), row low holds the smaller value of the two and row high the larger.</summary>
    public ReadOnlySpan<(int Low, int High)> Steps => steps;

    /// <summary>The steps that remain once the first <see cref="Sixteens"/> groups of 16 rows, and the 8 rows behind them, are sorted each.</summary>
    public ReadOnlySpan<(int Low, int High)> StepsAfterGroups => rest;

    /// <summary>Whole groups of 16 rows.</summary>
    public int Sixteens { get; }

    /// <summary>Whether 8 more rows follow them.</summary>
    public bool HasEight { get; }

    /// <summary>The network after which rows <paramref name="first"/> … <paramref name="end"/> − 1 hold the values of those ranks (0 is the smallest).</summary>
    public static SortingNetwork For(int count, int first, int end)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, count);
        return Cache.GetOrAdd((count, first, end), static key => new SortingNetwork(key.Count, key.First, key.End));
    }

    // Merges of runs of `Run` stay within aligned groups of twice as many rows.
    private bool IsPresorted((int Low, int High, int Run) step) =>
        (step.Run <= 8 && step.Low / 16 < Sixteens) || (step.Run <= 4 && HasEight && step.Low / 8 == 2 * Sixteens);

    private static List<(int Low, int High, int Run)> Batcher(int count)
    {
        var steps = new List<(int, int, int)>();
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
                            steps.Add((i + j, i + j + k, p));
                        }
                    }
                }
            }
        }

        return steps;
    }

    private static (int Low, int High)[] Prune(IEnumerable<(int Low, int High)> all, int count, int first, int end)
    {
        var steps = all.ToList();
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
