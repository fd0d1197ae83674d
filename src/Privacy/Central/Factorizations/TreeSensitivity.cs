using System.Numerics;

namespace Federated.Privacy.Central.Factorizations;

/// <summary>
/// The squared sensitivity of tree aggregation: the largest Σ over completed nodes of (contributions under the node)², over all admissible
/// participation patterns. Columns overlap near the root, so that neither k·L nor a sum over levels is right.
/// </summary>
internal static class TreeSensitivity
{
    /// <summary>States above which the exact search gives way to the bound.</summary>
    private const int MaxStates = 2_000_000;

    /// <summary>Exact where the search is small enough (always for k = 1 and for n/b up to some dozens), else the level-wise upper bound.</summary>
    public static long Squared(int steps, Participation participation) => Exact(steps, participation) ?? UpperBound(steps, participation);

    /// <summary>
    /// Level by level: of at most K contributions, at most ⌈size/b⌉ fall under one node, and squares are largest when they crowd.
    /// </summary>
    public static long UpperBound(int steps, Participation participation)
    {
        long total = 0;
        var contributions = participation.Within(steps);
        for (var size = 1L; size <= steps; size *= 2)
        {
            var crowd = Math.Min(contributions, (size + participation.Separation - 1) / participation.Separation);
            var full = Math.Min(contributions / crowd, steps / size);
            var rest = full < steps / size ? contributions - (full * crowd) : 0;
            total += (full * crowd * crowd) + (rest * rest);
        }

        return total;
    }

    /// <summary>
    /// Dynamic programme over steps. State: contributions so far under each open node larger than b (smaller ones hold at most one), and in
    /// all. Value: the sum so far. Null when the states are too many.
    /// </summary>
    public static long? Exact(int steps, Participation participation)
    {
        var limit = participation.Within(steps);
        var levels = BitOperations.Log2((uint)steps) + 1;
        if (limit == 1)
        {
            return levels;
        }

        // Heights whose nodes are larger than b; a byte of the state each.
        var firstLarge = BitOperations.Log2((uint)participation.Separation) + 1;
        if (limit > 255 || levels - firstLarge > 16)
        {
            return null;
        }

        // reachable[t] holds the states in which the next contribution may come at step t or later.
        var reachable = new Dictionary<(UInt128 Counts, int Total), long>?[steps];
        reachable[0] = new() { [default] = 0 };
        long best = 0;
        var visited = 0;
        for (var t = 0; t < steps; t++)
        {
            visited += reachable[t]?.Count ?? 0;
            if (visited > MaxStates)
            {
                return null;
            }

            foreach (var ((counts, total), value) in reachable[t] ?? [])
            {
                Put(t, t + 1, counts, total, value);
                if (total < limit)
                {
                    var (next, gain) = Contribute(counts, t);
                    best = Math.Max(best, value + gain);
                    Put(t, t + participation.Separation, next, total + 1, value + gain);
                }
            }

            reachable[t] = null;
        }

        return best;

        (UInt128 Counts, long Gain) Contribute(UInt128 counts, int t)
        {
            long gain = 0;
            for (var h = 0; h < levels && (((long)t >> h) + 1) << h <= steps; h++)
            {
                var count = h < firstLarge ? 0 : (long)((counts >> (8 * (h - firstLarge))) & 0xFF);
                gain += (2 * count) + 1;
                counts += h < firstLarge ? 0 : UInt128.One << (8 * (h - firstLarge));
            }

            return (counts, gain);
        }

        void Put(int from, int to, UInt128 counts, int total, long value)
        {
            if (to >= steps)
            {
                return;
            }

            for (var h = firstLarge; h < levels && from >> h != to >> h; h++)
            {
                counts &= ~((UInt128)0xFF << (8 * (h - firstLarge)));
            }

            var states = reachable[to] ??= [];
            states[(counts, total)] = states.TryGetValue((counts, total), out var old) ? Math.Max(old, value) : value;
        }
    }

    /// <summary>max over s of Σ over trees: every epoch visits the clients in the same order, trees restart after given epochs.</summary>
    /// <param name="stepsPerEpoch">Steps in an epoch; a client takes part in the same one each epoch.</param>
    /// <param name="epochsPerTree">Epochs between restarts.</param>
    /// <param name="completed">Whether each tree but the last is closed by virtual steps, so that its root exists.</param>
    public static long SameOrder(int stepsPerEpoch, IReadOnlyList<int> epochsPerTree, bool completed)
    {
        var best = 0L;
        for (var s = 0; s < stepsPerEpoch; s++)
        {
            long total = 0;
            for (var tree = 0; tree < epochsPerTree.Count; tree++)
            {
                var steps = stepsPerEpoch * epochsPerTree[tree];
                var padded = completed && tree < epochsPerTree.Count - 1 ? (int)BitOperations.RoundUpToPowerOf2((uint)steps) : steps;
                for (var size = 1L; size <= padded; size *= 2)
                {
                    var run = 0L;
                    var node = -1L;
                    for (var epoch = 0; epoch < epochsPerTree[tree]; epoch++)
                    {
                        var position = ((long)epoch * stepsPerEpoch) + s;
                        if ((position / size * size) + size > padded)
                        {
                            continue; // the node is never completed
                        }

                        run = position / size == node ? run + 1 : 1;
                        node = position / size;
                        total += (2 * run) - 1;
                    }
                }
            }

            best = Math.Max(best, total);
        }

        return best;
    }
}
