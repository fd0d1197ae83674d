namespace Federated.Privacy.Audit;

/// <summary>
/// Runs a mechanism many times on each of two neighbouring inputs and bounds ε from below by how well a threshold on some statistic of its
/// output tells them apart.
/// </summary>
/// <remarks>
/// The threshold is chosen on one half of the runs and judged on the other, so that choosing it costs no confidence. Limits by
/// <see cref="ClopperPearson"/>. Any statistic gives a valid bound; a telling one gives a tight one.
/// </remarks>
public static class DistinguishingAudit
{
    /// <param name="mechanism">For the report.</param>
    /// <param name="claimedEpsilon">ε claimed.</param>
    /// <param name="delta">δ claimed.</param>
    /// <param name="samples">Runs on each input, at least 100.</param>
    /// <param name="confidence">Of the bound.</param>
    /// <param name="first">The statistic of one fresh run on one input.</param>
    /// <param name="second">Of one fresh run on its neighbour.</param>
    public static AuditFinding Run(
        string mechanism, double claimedEpsilon, double delta, int samples, double confidence, Func<double> first, Func<double> second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (samples < 100 || !(confidence is > 0 and < 1))
        {
            throw new PrivacyException($"An audit needs at least 100 samples and a confidence in (0, 1); they are {samples} and {confidence}.");
        }

        var (a, b) = (Draw(samples, first), Draw(samples, second));
        var half = samples / 2;
        var error = 1 - confidence;
        var (threshold, upward) = Choose(a.AsSpan(0, half), b.AsSpan(0, half), delta, error);
        var (hits, alarms) = (Count(a.AsSpan(half), threshold, upward), Count(b.AsSpan(half), threshold, upward));

        // Both orders of the neighbours and both sides of the threshold are read off one pair of rates: halve the error for the order.
        var bound = Math.Max(
            ClopperPearson.EpsilonLowerBound(hits, samples - half, alarms, samples - half, delta, error / 2),
            ClopperPearson.EpsilonLowerBound(alarms, samples - half, hits, samples - half, delta, error / 2));
        return new AuditFinding(
            mechanism, "distinguishing", claimedEpsilon, delta, bound, confidence, 2L * samples,
            $"statistic {(upward ? "at least" : "at most")} {threshold:G6}: {hits} of {samples - half} runs on one input, {alarms} on its neighbour");
    }

    private static double[] Draw(int samples, Func<double> statistic)
    {
        var values = new double[samples];
        for (var i = 0; i < samples; i++)
        {
            values[i] = statistic();
        }

        return values;
    }

    private static (double Threshold, bool Upward) Choose(Span<double> a, Span<double> b, double delta, double error)
    {
        var best = (Bound: -1.0, Threshold: 0.0, Upward: true);
        double[] sorted = [.. a, .. b];
        Array.Sort(sorted);
        for (var i = 1; i < 100; i++)
        {
            var threshold = sorted[(int)((long)sorted.Length * i / 100)];
            foreach (var upward in new[] { true, false })
            {
                var (hits, alarms) = (Count(a, threshold, upward), Count(b, threshold, upward));
                var bound = Math.Max(
                    ClopperPearson.EpsilonLowerBound(hits, a.Length, alarms, b.Length, delta, error),
                    ClopperPearson.EpsilonLowerBound(alarms, b.Length, hits, a.Length, delta, error));
                if (bound > best.Bound)
                {
                    best = (bound, threshold, upward);
                }
            }
        }

        return (best.Threshold, best.Upward);
    }

    private static long Count(ReadOnlySpan<double> values, double threshold, bool upward)
    {
        long count = 0;
        foreach (var value in values)
        {
            count += (upward ? value >= threshold : value <= threshold) ? 1 : 0;
        }

        return count;
    }
}
