namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// Tells sets of items that suspiciously many unary reports support together: fake clients that push r targets raise all of their bits, honest
/// ones do so by chance only.
/// </summary>
/// <remarks>
/// Cao, Jia, Gong, USENIX Security 2021, §6.2, https://arxiv.org/abs/1911.02046. For honest reports a given set of z items is supported with
/// probability at most p·q^(z−1); by Chebyshev the count exceeds τ_z = N·p·q^(z−1) + √(N·p·q^(z−1)(1 − p·q^(z−1))/η) with probability at most η.
/// Deviation: sets are given by the caller. No defence is complete: what is below the threshold stays in the estimate.
/// </remarks>
public static class FakeReportDetector
{
    /// <summary>τ_z.</summary>
    /// <param name="oracle">The oracle.</param>
    /// <param name="reports">N, honest and fake.</param>
    /// <param name="setSize">z.</param>
    /// <param name="falseAlarm">η.</param>
    public static double Threshold(UnaryEncoding oracle, long reports, int setSize, double falseAlarm)
    {
        ArgumentNullException.ThrowIfNull(oracle);
        if (setSize < 1 || reports < 1 || !(falseAlarm is > 0 and < 1))
        {
            throw new PrivacyException($"A threshold needs a set, reports and a false-alarm probability in (0, 1); they are {setSize}, {reports}, {falseAlarm}.");
        }

        var joint = oracle.TrueSupport * Math.Pow(oracle.FalseSupport, setSize - 1);
        return (reports * joint) + Math.Sqrt(reports * joint * (1 - joint) / falseAlarm);
    }

    /// <summary>How many of the reports support every item of the set.</summary>
    public static long JointSupport(IEnumerable<ReadOnlyMemory<byte>> reports, IReadOnlyList<int> set)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(set);
        return reports.LongCount(report => set.All(v => (report.Span[v / 8] >> (v % 8) & 1) != 0));
    }
}
