using System.Buffers.Binary;
using Federated.Privacy.Local.Scalars;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Analytics;

/// <summary>The mean of one number a client, scaled to [−1, 1] and through a scalar randomiser. The interval covers the mean over the clients that reported.</summary>
/// <remarks>
/// <code>
/// report r(t) with E = t, |r| ≤ B, Var ≤ v* = max(Var(0), Var(1))       mean = lower + (upper − lower)(r̄ + 1)/2,  ± z·√(v*/n)·(upper − lower)/2
/// </code>
/// Sums are integers of B/2⁴⁰, so that order does not matter. One fake report moves the mean by at most (B + 1)/n of half the range. Cost: O(1).
/// </remarks>
public sealed class MeanAnalysis : PrivateAnalysis
{
    private const double Grid = 1L << 40;
    private readonly MeanOptions options;
    private readonly IScalarRandomizer randomizer;

    public MeanAnalysis(MeanOptions options)
        : base(options)
    {
        CheckRange(options.Lower, options.Upper);
        this.options = options;
        randomizer = ScalarRandomizers.Create(options.Randomizer, options.Epsilon);
    }

    public override string Kind => AnalysisKinds.Mean;

    public override double Epsilon => randomizer.Epsilon;

    public override int ReportBytes => sizeof(double);

    public override bool AsksForNumber => true;

    public override IReadOnlyList<string> Names => ["mean"];

    public override AnalysisResult Estimate(ReportStore reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        var n = reports.Count;
        if (n == 0)
        {
            throw new PrivacyException("A mean needs a report or more.");
        }

        Int128 sum = 0;
        var unit = Bound / Grid;
        for (var i = 0; i < n; i++)
        {
            sum += (Int128)Math.Round(BinaryPrimitives.ReadDoubleLittleEndian(reports.Report(0, i)) / unit);
        }

        var half = (options.Upper - options.Lower) / 2;
        var mean = options.Lower + (half * (((double)sum * unit / n) + 1));
        var reach = Reach * half * Math.Sqrt(Math.Max(randomizer.Variance(0), randomizer.Variance(1)) / n);
        return new(
            Kind, n, options.Confidence,
            [new("mean", mean, Math.Max(options.Lower, mean - reach), Math.Min(options.Upper, mean + reach))],
            [$"Values outside of [{options.Lower:G6}, {options.Upper:G6}] counted as its ends. A fake report moves the mean by at most {half * (Bound + 1) / n:G3}."]);
    }

    /// <summary>Laplace noise has no bound; beyond 60/ε a report is forged (probability below 10⁻¹²).</summary>
    private double Bound => double.IsFinite(randomizer.OutputBound) ? randomizer.OutputBound : 1 + (60 / randomizer.Epsilon);

    private protected override void Write(AnalysisAnswer answer, Ticket ticket, Span<byte> report, IRandomSource random)
    {
        var t = Math.Clamp(((answer.Number - options.Lower) / (options.Upper - options.Lower) * 2) - 1, -1, 1);
        BinaryPrimitives.WriteDoubleLittleEndian(report, randomizer.Randomize(t, random));
    }

    private protected override string? Look(ReadOnlySpan<byte> report, Ticket ticket)
    {
        var value = BinaryPrimitives.ReadDoubleLittleEndian(report);
        return Math.Abs(value) <= Bound * (1 + 1e-12) ? null : $"an honest report is within ±{Bound:G6}; this one is {value:G6}";
    }
}
