using Federated.Privacy.Numerics;

namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>
/// Finds fakes that push one item through unary reports, which no set of items gives away: given that a report supports the item, its other ones must
/// number as honest noise does. Fakes that pad to one fixed weight pile up at that weight. An item is accused with probability at most η where all
/// reports are honest; an attacker who draws each weight from the honest law is not seen.
/// </summary>
/// <remarks>
/// The conditional-probability idea of Cao, Jia, Gong, USENIX Security 2021, §6, for r = 1, whose details were not at hand; the test is this project's.
/// <code>
/// given support of v, an honest report has Bin(k − 1, q) other ones if it holds v, else Bin(k − 2, q) + Bernoulli(p): π(w) the larger of both laws
/// accused  (v, w)  where  2k²·Pr[Bin(N_v, π(w)) ≥ O(v, w)] ≤ η        N_v reports support v, O(v, w) of them have w other ones
/// fakes    m̂ = (O − N_v·π̄)/(1 − π̄), π̄ the mixture at the estimated share of holders
/// </code>
/// Cost: n·k for each accused item.
/// </remarks>
public static class SingleTarget
{
    /// <summary>Accused items, the one with the most fakes first.</summary>
    /// <param name="oracle">A unary encoding.</param>
    /// <param name="reports">Its reports, well formed.</param>
    /// <param name="falseAlarm">η.</param>
    public static IReadOnlyList<PushedItem> Find(UnaryEncoding oracle, IReadOnlyList<ReadOnlyMemory<byte>> reports, double falseAlarm = 0.01)
    {
        ArgumentNullException.ThrowIfNull(oracle);
        ArgumentNullException.ThrowIfNull(reports);
        if (!(falseAlarm is > 0 and < 1) || oracle.Items < 3)
        {
            throw new PrivacyException($"A search needs a false-alarm probability in (0, 1) and 3 items or more; they are {falseAlarm} and {oracle.Items}.");
        }

        var found = new List<PushedItem>();
        var left = reports.ToList();
        while (left.Count > 0 && found.Count < oracle.Items && Clearest(oracle, left, falseAlarm) is { } item)
        {
            // Without the reports that pile up: the padding of one item's fakes would accuse every other item.
            found.Add(item);
            left.RemoveAll(r => (r.Span[item.Item / 8] >> (item.Item % 8) & 1) != 0 && UnaryEncoding.Weight(r.Span) == item.Weight);
        }

        return found;
    }

    private static PushedItem? Clearest(UnaryEncoding oracle, List<ReadOnlyMemory<byte>> reports, double falseAlarm)
    {
        var k = oracle.Items;
        var weights = Weights(oracle, reports);
        PushedItem? clearest = null;
        for (var v = 0; v < k; v++)
        {
            var supporters = weights[v].Sum();
            if (supporters == 0)
            {
                continue;
            }

            var frequency = Math.Clamp(
                (((double)supporters / reports.Count) - oracle.FalseSupport) / (oracle.TrueSupport - oracle.FalseSupport), 0, 1);
            var holders = frequency * oracle.TrueSupport / ((frequency * oracle.TrueSupport) + ((1 - frequency) * oracle.FalseSupport));
            for (var w = 0; w < k; w++)
            {
                var (holding, other) = (Holding(oracle, w), NotHolding(oracle, w));
                var tail = BinomialDistribution.UpperTail(weights[v][w], supporters, Math.Min(1, Math.Max(holding, other)));
                if (2.0 * k * k * tail <= falseAlarm)
                {
                    var expected = (holders * holding) + ((1 - holders) * other);
                    var fakes = (weights[v][w] - (supporters * expected)) / (1 - expected);
                    clearest = clearest is null || fakes > clearest.Fakes ? new PushedItem(v, w + 1, fakes) : clearest;
                }
            }
        }

        return clearest;
    }

    /// <summary>[v][w]: reports that support v and w other items.</summary>
    private static long[][] Weights(UnaryEncoding oracle, IReadOnlyList<ReadOnlyMemory<byte>> reports)
    {
        var weights = Enumerable.Range(0, oracle.Items).Select(_ => new long[oracle.Items]).ToArray();
        foreach (var report in reports)
        {
            var weight = UnaryEncoding.Weight(report.Span);
            for (var v = 0; v < oracle.Items; v++)
            {
                if ((report.Span[v / 8] >> (v % 8) & 1) != 0)
                {
                    weights[v][weight - 1]++;
                }
            }
        }

        return weights;
    }

    private static double Holding(UnaryEncoding oracle, int w) => BinomialDistribution.Pmf(w, oracle.Items - 1, oracle.FalseSupport);

    private static double NotHolding(UnaryEncoding oracle, int w) =>
        ((1 - oracle.TrueSupport) * BinomialDistribution.Pmf(w, oracle.Items - 2, oracle.FalseSupport))
        + (oracle.TrueSupport * BinomialDistribution.Pmf(w - 1, oracle.Items - 2, oracle.FalseSupport));
}

/// <summary>An item that reports of one fixed weight push.</summary>
/// <param name="Item">The item.</param>
/// <param name="Weight">Ones of the piled-up reports, the item's own included.</param>
/// <param name="Fakes">Estimated number of fakes.</param>
public sealed record PushedItem(int Item, int Weight, double Fakes);
