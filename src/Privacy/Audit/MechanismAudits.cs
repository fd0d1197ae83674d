using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Scalars;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Audit;

/// <summary>The audits of every mechanism here, by name: what <c>fed privacy audit</c> and the nightly job run.</summary>
/// <remarks>
/// An audit fails when its lower bound exceeds the claim. Confidence is joint: with a audits, each is held to 1 − (1 − confidence)/a
/// (Bonferroni), so that a suite of correct mechanisms raises one false alarm in twenty runs of the suite, not one a run.
/// With <see cref="AuditOptions.RemoveNoise"/> the same audits run on mechanisms that claim what they claimed and hide nothing: each must fail,
/// or it could not have found anything.
/// </remarks>
public static class MechanismAudits
{
    private delegate AuditFinding Audit(AuditOptions options, double confidence, IRandomSource random);

    private static readonly SortedDictionary<string, Audit> Audits = Build();

    /// <summary>Names of all audits.</summary>
    public static IReadOnlyCollection<string> Names => Audits.Keys;

    /// <summary>Runs the audits asked for, in order of name.</summary>
    public static IReadOnlyList<AuditFinding> Run(AuditOptions options, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        var names = options.Mechanisms.Count == 0 ? [.. Audits.Keys] : options.Mechanisms;
        if (names.FirstOrDefault(name => !Audits.ContainsKey(name)) is { } unknown)
        {
            throw new PrivacyException($"No audit for '{unknown}'; there are {string.Join(", ", Audits.Keys)}.");
        }

        var confidence = 1 - ((1 - options.Confidence) / names.Count);
        return [.. names.Order(StringComparer.Ordinal).Select(name => Audits[name](options, confidence, random))];
    }

    private static SortedDictionary<string, Audit> Build()
    {
        var audits = new SortedDictionary<string, Audit>(StringComparer.Ordinal);
        foreach (var name in ScalarRandomizers.All)
        {
            audits.Add($"scalar.{name}", (o, c, r) => Scalar(name, o, c, r));
        }

        foreach (var name in UnitVectorRandomizers.All)
        {
            audits.Add($"vector.{name}", (o, c, r) => UnitVector(name, o, c, r));
        }

        foreach (var name in FrequencyOracles.All)
        {
            audits.Add($"frequency.{name}", (o, c, r) => Oracle(name, o, c, r));
            audits.Add($"frequency.{name}.law", (o, _, _) => OracleLaw(name, o));
        }

        audits.Add("vector.duchi-hypercube", Hypercube);
        foreach (var (name, audit) in CentralAudits.All)
        {
            audits.Add(name, (o, c, r) => audit(o, c, r));
        }

        return audits;
    }

    /// <summary>ε of the mechanism that really runs: the one claimed, or one that hides next to nothing (but has not e⁴⁰ hash buckets).</summary>
    private static double Real(AuditOptions options) => options.Epsilon + (options.RemoveNoise ? 8 : 0);

    private static AuditFinding Scalar(string name, AuditOptions options, double confidence, IRandomSource random)
    {
        var randomizer = ScalarRandomizers.Create(name, Real(options));
        return DistinguishingAudit.Run(
            $"scalar.{name}", options.Epsilon, 0, options.Samples, confidence,
            () => randomizer.Randomize(1, random), () => randomizer.Randomize(-1, random));
    }

    private static AuditFinding UnitVector(string name, AuditOptions options, double confidence, IRandomSource random)
    {
        const int dimension = 8;
        var randomizer = UnitVectorRandomizers.Create<double>(name, Real(options), dimension);
        var report = new double[dimension];
        double Statistic(double sign)
        {
            report.AsSpan().Clear();
            report[0] = sign;
            randomizer.Randomize(report, report, random);
            return report[0];
        }

        return DistinguishingAudit.Run(
            $"vector.{name}", options.Epsilon, 0, options.Samples, confidence, () => Statistic(1), () => Statistic(-1));
    }

    private static AuditFinding Hypercube(AuditOptions options, double confidence, IRandomSource random)
    {
        // Two coordinates: an even dimension, where ties are, and the corners (1, 1) and (−1, −1) are furthest apart.
        var randomizer = new DuchiHypercube(Real(options), 2);
        var report = new double[2];
        double Statistic(double value)
        {
            randomizer.Randomize([value, value], report, random);
            return (3 * Math.Sign(report[0])) + Math.Sign(report[1]);
        }

        return DistinguishingAudit.Run(
            "vector.duchi-hypercube", options.Epsilon, 0, options.Samples, confidence, () => Statistic(1), () => Statistic(-1));
    }

    private static AuditFinding Oracle(string name, AuditOptions options, double confidence, IRandomSource random)
    {
        const int items = 6;
        var oracle = FrequencyOracles.Create(name, Real(options), items);
        var report = new byte[oracle.ReportBytes];
        double Statistic(int item)
        {
            oracle.Randomize(item, report, random);
            return Math.Log(oracle.Probability(0, report) / oracle.Probability(1, report));
        }

        return DistinguishingAudit.Run(
            $"frequency.{name}", options.Epsilon, 0, options.Samples, confidence, () => Statistic(0), () => Statistic(1));
    }

    private static AuditFinding OracleLaw(string name, AuditOptions options)
    {
        const int items = 4;
        var oracle = FrequencyOracles.Create(name, Real(options), items);
        var laws = Enumerable.Range(0, items).Select(_ => new List<double>()).ToArray();
        var reports = OracleReports.Enumerate(oracle).ToArray();
        foreach (var report in reports)
        {
            for (var item = 0; item < items; item++)
            {
                laws[item].Add(oracle.Probability(item, report));
            }
        }

        return new AuditFinding(
            $"frequency.{name}.law", "exact", options.Epsilon, 0, ExactAudit.Epsilon(laws), 1, reports.Length,
            $"largest log-ratio over {reports.Length} reports and {items} items");
    }
}
