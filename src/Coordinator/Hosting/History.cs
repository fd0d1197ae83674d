using System.Collections.Immutable;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Hosting;

/// <summary>One evaluation, and how far the run had come.</summary>
/// <param name="Index">0, 1, … in the order of arrival.</param>
/// <param name="Time">Seconds on the run's clock.</param>
/// <param name="MeanStaleness">Of the updates accepted since the evaluation before; NaN without any.</param>
/// <param name="Spread">How the clients' own evaluations spread; null when the coordinator evaluated.</param>
public sealed record MetricPoint(
    long Index,
    double Time,
    int Version,
    double Accuracy,
    double Loss,
    long Accepted,
    long Rejected,
    long Lost,
    long BytesUp,
    long BytesDown,
    double MeanStaleness,
    ScoreSpread? Spread)
{
    /// <value>ε that the run had cost the client that it cost most when the evaluated version was published; NaN in a run without privacy.</value>
    public double Epsilon { get; init; } = double.NaN;
}

/// <summary>The evaluations of a run: they outlive crashes with it.</summary>
/// <remarks>Changed by the run's loop; <see cref="Points"/> may be read by anybody. about 100 B per evaluation in every snapshot, and 28 B per client of the last.</remarks>
/// <param name="ledger">The run's, which has been told of an event before this is; null in a run without privacy.</param>
internal sealed class History(IPrivacyLedger? ledger = null) : IRunSection
{
    private const int Form = 2;

    private volatile ImmutableList<MetricPoint> points = [];
    private volatile IReadOnlyList<ClientScore> lastScores = [];
    private long accepted, rejected, lost, bytesUp, bytesDown, staleness, acceptedBefore;

    public string Name => "history";

    public IReadOnlyList<MetricPoint> Points => points;

    /// <summary>What clients reported in the last evaluation by clients.</summary>
    public IReadOnlyList<ClientScore> LastScores => lastScores;

    public void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Accepted e:
                    accepted++;
                    staleness += e.Staleness;
                    if (logged.ArrivalOf(e.Assignment.Id) is { } arrived)
                    {
                        bytesUp += arrived.Report.BytesUp;
                        bytesDown += arrived.Report.BytesDown;
                    }

                    break;
                case Rejected { Assignment: not null }:
                    rejected++;
                    break;
                case Lost:
                    lost++;
                    break;
            }
        }

        if (logged.Event is EvaluationArrived evaluation)
        {
            var mean = accepted > acceptedBefore ? (double)staleness / (accepted - acceptedBefore) : double.NaN;
            points = points.Add(new MetricPoint(
                points.Count, evaluation.Time, evaluation.Version, evaluation.Accuracy, evaluation.Loss, accepted, rejected, lost, bytesUp, bytesDown, mean,
                ScoreSpread.Of(logged.Scores)) { Epsilon = SpentAt(evaluation.Version) });
            (acceptedBefore, staleness) = (accepted, 0);
            if (logged.Scores.Count > 0)
            {
                lastScores = logged.Scores;
            }
        }
    }

    private double SpentAt(int version)
    {
        if (ledger is null)
        {
            return double.NaN;
        }

        var spent = 0.0;
        for (var i = ledger.Course.Count - 1; i >= 0; i--)
        {
            if (ledger.Course[i] is var point && point.Version <= version)
            {
                spent = point.Epsilon;
                break;
            }
        }

        return spent;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Form);
        foreach (var total in (ReadOnlySpan<long>)[accepted, rejected, lost, bytesUp, bytesDown, staleness, acceptedBefore])
        {
            writer.Write(total);
        }

        writer.Write(points.Count);
        foreach (var p in points)
        {
            writer.Write(p.Time);
            writer.Write(p.Version);
            writer.Write(p.Accuracy);
            writer.Write(p.Loss);
            writer.Write(p.Accepted);
            writer.Write(p.Rejected);
            writer.Write(p.Lost);
            writer.Write(p.BytesUp);
            writer.Write(p.BytesDown);
            writer.Write(p.MeanStaleness);
            writer.Write(p.Epsilon);
            writer.Write(p.Spread is not null);
            p.Spread?.Write(writer);
        }

        writer.Write(lastScores.Count);
        foreach (var score in lastScores)
        {
            score.Write(writer);
        }
    }

    public void Load(BinaryReader reader)
    {
        var form = reader.ReadInt32();
        if (form is < 1 or > Form)
        {
            throw new CoordinatorException($"The run's history is of form {form}, which this build does not know; use the build that wrote it.");
        }

        (accepted, rejected, lost) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        (bytesUp, bytesDown, staleness, acceptedBefore) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        var loaded = ImmutableList.CreateBuilder<MetricPoint>();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            var point = new MetricPoint(
                loaded.Count, reader.ReadDouble(), reader.ReadInt32(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadInt64(), reader.ReadInt64(),
                reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadDouble(), null) { Epsilon = form == 1 ? double.NaN : reader.ReadDouble() };
            loaded.Add(point with { Spread = reader.ReadBoolean() ? ScoreSpread.Read(reader) : null });
        }

        points = loaded.ToImmutable();
        lastScores = ClientScore.ReadAll(reader);
    }
}
