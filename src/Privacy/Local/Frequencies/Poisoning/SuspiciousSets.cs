using System.Numerics.Tensors;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>
/// Finds sets of values that more reports support together than honest ones do by chance, which is what fake clients that push several targets look
/// like. A set is found with probability at most η where all reports are honest; what is below the threshold stays in the estimate.
/// </summary>
/// <remarks>
/// After Cao, Jia, Gong, USENIX Security 2021, §6.2, https://arxiv.org/abs/1911.02046 (frequent itemsets).
/// <code>
/// honest reports support a given set of z values with probability at most p·q^(z−1), whatever they hold
/// τ_z the least t with C(k, z)·Pr[Bin(n, p·q^(z−1)) ≥ t] ≤ η/(Z − 1)      for z = 2 … Z: a union bound over all sets of all sizes
/// </code>
/// Deviation: the exact binomial tail and a union bound over every set, in place of Chebyshev's inequality for one given set
/// (<see cref="FakeReportDetector"/>), so that the search may look anywhere; sets are grown greedily from the pairs with the largest joint
/// support to where they are furthest above their threshold, so that a set may be missed, never wrongly accused. Cost: k²/2 joint counts of n/64 words each, and Z·k for each of the pairs grown.
/// </remarks>
public sealed class SuspiciousSets
{
    private readonly SupportMatrix matrix;
    private readonly long[] thresholds;
    private readonly int grown;

    /// <param name="matrix">Who supports what.</param>
    /// <param name="falseAlarm">η.</param>
    /// <param name="largest">Z.</param>
    /// <param name="grown">Pairs that are grown.</param>
    /// <param name="population">Values that the matrix's were chosen from by looking at the reports, and so what the union bound goes over; 0 for its own.</param>
    public SuspiciousSets(SupportMatrix matrix, double falseAlarm = 0.01, int largest = 16, int grown = 64, int population = 0)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        if (!(falseAlarm is > 0 and < 1) || largest < 2 || grown < 1)
        {
            throw new PrivacyException($"A search needs a false-alarm probability in (0, 1), sets of 2 or more and a pair to grow; they are {falseAlarm}, {largest}, {grown}.");
        }

        (this.matrix, this.grown) = (matrix, grown);
        largest = Math.Min(largest, matrix.Values);
        population = Math.Max(population, matrix.Values);
        thresholds = new long[Math.Max(largest + 1, 3)];
        for (var z = 2; z <= largest; z++)
        {
            var sets = GammaFunction.LogBinomial(population, z);
            thresholds[z] = Least(Math.Exp(Math.Log(falseAlarm / (largest - 1)) - sets), matrix.TrueSupport * Math.Pow(matrix.FalseSupport, z - 1));
        }
    }

    /// <summary>τ_z: a set of z values that this many reports or more support is suspicious.</summary>
    public long Threshold(int size) => thresholds[size];

    /// <summary>Suspicious sets, the one furthest above its threshold first, each of reports that no earlier one accuses.</summary>
    public IReadOnlyList<SuspiciousSet> Find()
    {
        if (matrix.Values < 2 || matrix.Reports == 0)
        {
            return [];
        }

        var pairs = new PriorityQueue<(int, int), long>();
        for (var a = 0; a < matrix.Values; a++)
        {
            for (var b = a + 1; b < matrix.Values; b++)
            {
                var joint = matrix.Joint(a, b);
                if (pairs.Count < grown)
                {
                    pairs.Enqueue((a, b), joint);
                }
                else
                {
                    pairs.EnqueueDequeue((a, b), joint);
                }
            }
        }

        var found = new Dictionary<string, SuspiciousSet>(StringComparer.Ordinal);
        while (pairs.TryDequeue(out var pair, out _))
        {
            if (Grow(pair.Item1, pair.Item2) is { } set)
            {
                found[string.Join(',', set.Values)] = set;
            }
        }

        // The clearest first; a set counts beside it only with reports that are not accused already.
        var distinct = new List<SuspiciousSet>();
        var accused = new ulong[(matrix.Reports + 63) / 64];
        foreach (var set in found.Values.OrderByDescending(s => s.Support - s.Threshold).ThenBy(s => string.Join(',', s.Values), StringComparer.Ordinal))
        {
            var rows = matrix.All(set.Values);
            var fresh = new ulong[rows.Length];
            for (var i = 0; i < rows.Length; i++)
            {
                fresh[i] = rows[i] & ~accused[i];
            }

            if (SupportMatrix.PopCount(fresh) >= set.Threshold)
            {
                distinct.Add(set);
                TensorPrimitives.BitwiseOr(accused, rows, accused);
            }
        }

        return distinct;
    }

    /// <summary>The reports that support every value of a suspicious set: fakes, and about n·p·q^(z−1) honest ones that are lost with them.</summary>
    public IReadOnlySet<int> Reports(IEnumerable<SuspiciousSet> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        var reports = new SortedSet<int>();
        foreach (var set in sets)
        {
            var rows = matrix.All(set.Values);
            for (var i = 0; i < matrix.Reports; i++)
            {
                if ((rows[i >> 6] >> (i & 63) & 1) != 0)
                {
                    reports.Add(i);
                }
            }
        }

        return reports;
    }

    private SuspiciousSet? Grow(int first, int second)
    {
        List<int> set = [first, second];
        SuspiciousSet? best = null;
        for (var z = 2; z < thresholds.Length; z++)
        {
            var rows = matrix.All(set);
            var support = SupportMatrix.PopCount(rows);
            if (support >= thresholds[z] && (best is null || support - thresholds[z] > best.Support - best.Threshold))
            {
                best = new SuspiciousSet([.. set.Order()], support, thresholds[z]);
            }

            var (next, most) = (-1, 0L);
            for (var v = 0; v < matrix.Values; v++)
            {
                if (!set.Contains(v) && matrix.CountAmong(rows, v) is var count && count > most)
                {
                    (next, most) = (v, count);
                }
            }

            if (next < 0)
            {
                break;
            }

            set.Add(next);
        }

        return best;
    }

    private long Least(double probability, double joint)
    {
        long low = 0, high = matrix.Reports + 1L;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (BinomialDistribution.UpperTail(middle, matrix.Reports, joint) <= probability)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}

/// <summary>Values that suspiciously many reports support together.</summary>
/// <param name="Values">In ascending order, as columns of the matrix.</param>
/// <param name="Support">Reports that support all of them.</param>
/// <param name="Threshold">What honest reports stay below.</param>
public sealed record SuspiciousSet(IReadOnlyList<int> Values, long Support, long Threshold);
