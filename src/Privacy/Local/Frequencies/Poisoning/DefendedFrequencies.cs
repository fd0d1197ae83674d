using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Local.Frequencies.Poisoning;

/// <summary>Which defences <see cref="DefendedFrequencies"/> applies, in this order.</summary>
public sealed record FrequencyDefenceOptions
{
    /// <summary>Drop reports that no honest client sends: items and buckets that do not exist, unary weights outside of all but 10⁻⁹ of honest ones.</summary>
    /// <value>The default is true.</value>
    public bool Validity { get; init; } = true;

    /// <summary>Remove reports that support a suspicious set of values together.</summary>
    /// <value>The default is true.</value>
    public bool Sets { get; init; } = true;

    /// <summary>Take out reports of one fixed weight that push a single item (unary oracles).</summary>
    /// <value>The default is true.</value>
    public bool SingleTarget { get; init; } = true;

    /// <summary>η, the probability that either search accuses anybody where all are honest.</summary>
    /// <value>The default is 0.01. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double FalseAlarm { get; init; } = 0.01;

    /// <summary>β assumed by the recovery after detection; 0 takes nothing out.</summary>
    /// <value>The default is 0. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double RecoverShare { get; init; }

    /// <summary>Bring the result onto the simplex: for showing, not for further sums.</summary>
    /// <value>The default is true.</value>
    public bool NormSub { get; init; } = true;
}

/// <summary>Frequencies from reports some of which may be fake, with what was found.</summary>
/// <param name="Frequencies">k estimates.</param>
/// <param name="Reports">Reports counted.</param>
/// <param name="Malformed">Reports dropped as invalid.</param>
/// <param name="Removed">Reports taken out by detection.</param>
/// <param name="Sets">Suspicious sets.</param>
/// <param name="Pushed">Single items that reports of one weight push.</param>
public sealed record DefendedEstimate(
    double[] Frequencies, long Reports, long Malformed, double Removed, IReadOnlyList<SuspiciousSet> Sets, IReadOnlyList<PushedItem> Pushed);

/// <summary>
/// Estimates frequencies behind the defences of privacy.md §3.6: validity, detection of sets and of single targets, recovery, the simplex. None is
/// complete: a fake that claims a target and randomises it honestly passes all of them, and gains β(1 − f_T).
/// </summary>
/// <remarks>Cost: the oracle's, and that of <see cref="SuspiciousSets"/> where it is on.</remarks>
public static class DefendedFrequencies
{
    /// <summary>The estimate and what was found.</summary>
    /// <exception cref="PrivacyException">No report is left.</exception>
    public static DefendedEstimate Estimate(FrequencyOracle oracle, IReadOnlyList<ReadOnlyMemory<byte>> reports, FrequencyDefenceOptions options)
    {
        ArgumentNullException.ThrowIfNull(oracle);
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(options);
        var state = new long[oracle.StateLength];
        var valid = new List<ReadOnlyMemory<byte>>(reports.Count);
        foreach (var report in reports)
        {
            if (Counts(oracle, report.Span, state, options.Validity))
            {
                valid.Add(report);
            }
        }

        var malformed = reports.Count - valid.Count;
        IReadOnlyList<SuspiciousSet> sets = [];
        IReadOnlyList<PushedItem> pushed = [];
        double removed = 0;
        if (options.Sets && oracle is UnaryEncoding or LocalHashing && valid.Count > 0)
        {
            var search = new SuspiciousSets(SupportMatrix.Of(oracle, valid), options.FalseAlarm);
            sets = search.Find();
            if (sets.Count > 0)
            {
                var fakes = search.Reports(sets);
                removed += fakes.Count;
                valid = [.. valid.Where((_, i) => !fakes.Contains(i))];
                state.AsSpan().Clear();
                valid.ForEach(r => oracle.Accumulate(r.Span, state));
            }
        }

        double counted = valid.Count;
        if (options.SingleTarget && oracle is UnaryEncoding { Items: > 2 } unary && valid.Count > 0)
        {
            pushed = SingleTarget.Find(unary, valid, options.FalseAlarm);
            foreach (var item in pushed)
            {
                for (var v = 0; v < oracle.Items; v++)
                {
                    var supported = v == item.Item ? 1 : (item.Weight - 1.0) / (oracle.Items - 1);
                    state[v] -= (long)Math.Round(item.Fakes * supported);
                }
            }

            // Fakes push one item each: a report is taken out once, however many items accuse it.
            var most = pushed.Sum(p => p.Fakes);
            counted -= most;
            removed += most;
        }

        var frequencies = new double[oracle.Items];
        oracle.Estimate(state, (long)Math.Round(counted), frequencies);
        if (options.RecoverShare > 0)
        {
            frequencies = FrequencyRecovery.Recover(oracle, frequencies, options.RecoverShare, [.. sets.SelectMany(s => s.Values).Distinct()]);
        }
        else if (options.NormSub)
        {
            FrequencyPostprocessing.NormSub(frequencies);
        }

        return new(frequencies, (long)Math.Round(counted), malformed, removed, sets, pushed);
    }

    private static bool Counts(FrequencyOracle oracle, ReadOnlySpan<byte> report, Span<long> state, bool validity)
    {
        try
        {
            if (validity && oracle is UnaryEncoding unary && report.Length == oracle.ReportBytes)
            {
                var (least, most) = unary.HonestWeight();
                var weight = UnaryEncoding.Weight(report);
                if (weight < least || weight > most)
                {
                    return false;
                }
            }

            oracle.Accumulate(report, state);
            return true;
        }
        catch (PrivacyException)
        {
            return false; // no report of this oracle: counted as malformed
        }
    }
}
