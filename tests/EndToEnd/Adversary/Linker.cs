namespace Federated.EndToEnd.Adversary;

/// <summary>
/// The adversary: names for every client of every batch the report that it holds to be its own, in many ways, each of which is judged on its own.
/// </summary>
/// <remarks>
/// Ways: whatever clients can be ranked by (arrivals, ports, times, sizes, assignments) against whatever reports can be ranked by (place, bytes, norms, digests, place
/// in the coordinator's files), ascending and descending; the same with a table of which rank goes with which, learnt from half of the batches whose truth it
/// is told; and bytes in common. Each names n different reports for n clients. If the order of the reports tells nothing, their number of hits in a batch is that
/// of the fixed points of a uniformly random permutation of n, batches are independent, and the probability of so many hits or more is known exactly.
/// </remarks>
internal static class Linker
{
    /// <param name="Hits">Reports that were linked to their clients.</param>
    /// <param name="Of">Reports that could have been.</param>
    /// <param name="Chance">The probability that as many or more hits come by chance.</param>
    internal sealed record Finding(string Way, int Hits, int Of, double Chance)
    {
        public override string ToString() => $"{Way}: {Hits} of {Of}, by chance with probability {Chance:E1}";
    }

    public static List<Finding> Attack(IReadOnlyList<BatchView> batches)
    {
        List<Finding> found = [Judge("bytes in common", batches, ByBytes)];
        foreach (var client in batches[0].Clients[0].Numbers.Keys)
        {
            foreach (var report in batches[0].Reports[0].Numbers.Keys)
            {
                found.Add(Judge($"{client} as {report}", batches, b => Match(Ranked(b.Clients, client), Ranked(b.Reports, report))));
                found.Add(Judge($"{client} against {report}", batches, b => Match(Ranked(b.Clients, client), [.. Ranked(b.Reports, report).Reverse()])));
                var half = batches.Count / 2;
                var table = Learn(batches.Take(half), client, report);
                found.Add(Judge(
                    $"{client} as {report} by what was learnt", [.. batches.Skip(half)], b =>
                    {
                        var reports = Ranked(b.Reports, report);
                        return Match(Ranked(b.Clients, client), [.. table.Select(rank => reports[rank])]);
                    }));
            }
        }

        return found;
    }

    private static Finding Judge(string way, IReadOnlyList<BatchView> batches, Func<BatchView, int[]> guess)
    {
        var hits = batches.Sum(b => guess(b).Zip(b.Truth, (guessed, truth) => guessed == truth ? 1 : 0).Sum());
        var n = batches[0].Truth.Length;
        return new Finding(way, hits, batches.Count * n, FixedPoints.Tail(n, batches.Count, hits));
    }

    /// <summary>The indices in ascending order of a number; ties in their own order.</summary>
    private static int[] Ranked(IReadOnlyList<Trace> traces, string number) => [.. Enumerable.Range(0, traces.Count).OrderBy(i => traces[i].Numbers[number])];

    /// <summary>The k-th of the clients has the k-th of the reports.</summary>
    private static int[] Match(int[] clients, int[] reports)
    {
        var guess = new int[clients.Length];
        for (var rank = 0; rank < clients.Length; rank++)
        {
            guess[clients[rank]] = reports[rank];
        }

        return guess;
    }

    /// <summary>For each rank of a client the rank of the report that went with it most often, each once.</summary>
    private static int[] Learn(IEnumerable<BatchView> batches, string client, string report)
    {
        double[,]? counts = null;
        foreach (var batch in batches)
        {
            var (clients, reports) = (Ranked(batch.Clients, client), Ranked(batch.Reports, report));
            counts ??= new double[clients.Length, clients.Length];
            for (var rank = 0; rank < clients.Length; rank++)
            {
                counts[rank, Array.IndexOf(reports, batch.Truth[clients[rank]])]++;
            }
        }

        return Best(counts!);
    }

    private static int[] ByBytes(BatchView batch)
    {
        var said = batch.Clients.Select(c => Grams(c.Bytes)).ToList();
        var score = new double[said.Count, said.Count];
        for (var place = 0; place < said.Count; place++)
        {
            foreach (var gram in Grams(batch.Reports[place].Bytes))
            {
                for (var client = 0; client < said.Count; client++)
                {
                    score[client, place] += said[client].Contains(gram) ? 1 : 0;
                }
            }
        }

        return Best(score);
    }

    private static HashSet<uint> Grams(byte[] bytes) => [.. Enumerable.Range(0, Math.Max(0, bytes.Length - 3)).Select(i => BitConverter.ToUInt32(bytes, i))];

    /// <summary>A column for each row, taking the highest scores first.</summary>
    private static int[] Best(double[,] score)
    {
        var n = score.GetLength(0);
        var chosen = Enumerable.Repeat(-1, n).ToArray();
        foreach (var (row, column) in Enumerable.Range(0, n * n).OrderByDescending(i => score[i / n, i % n]).Select(i => (i / n, i % n)))
        {
            if (chosen[row] < 0 && !chosen.Contains(column))
            {
                chosen[row] = column;
            }
        }

        return chosen;
    }
}

/// <summary>Fixed points of uniformly random permutations, one for each of several batches.</summary>
internal static class FixedPoints
{
    /// <summary>The probability of so many or more in all of m permutations of n.</summary>
    public static double Tail(int n, int m, int least)
    {
        var one = OfOne(n);
        double[] sum = [1];
        for (var batch = 0; batch < m; batch++)
        {
            var next = new double[sum.Length + n];
            for (var i = 0; i < sum.Length; i++)
            {
                for (var k = 0; k <= n; k++)
                {
                    next[i + k] += sum[i] * one[k];
                }
            }

            sum = next;
        }

        return sum.Skip(least).Sum();
    }

    /// <summary>P(k) = D(n − k) / (k! (n − k)!), with D the derangements: D(0) = 1, D(1) = 0, D(j) = (j − 1)(D(j − 1) + D(j − 2)).</summary>
    private static double[] OfOne(int n)
    {
        var (derangements, factorials) = (new double[n + 1], new double[n + 1]);
        (derangements[0], factorials[0]) = (1, 1);
        for (var j = 1; j <= n; j++)
        {
            factorials[j] = j * factorials[j - 1];
            derangements[j] = j == 1 ? 0 : (j - 1) * (derangements[j - 1] + derangements[j - 2]);
        }

        return [.. Enumerable.Range(0, n + 1).Select(k => derangements[n - k] / (factorials[k] * factorials[n - k]))];
    }
}
