using Federated.Simulation.Reports;
using Federated.Simulation.Results;

namespace Federated.Simulation.Tests.Reports;

public sealed class ReportCollectorTests
{
    private static MetricsRow Row(int version) => new()
    {
        Version = version, Round = version, VirtualSeconds = version, WallSeconds = 0, Accuracy = 0, Loss = 0, ClientUpdates = 0, BytesUp = 0, BytesDown = 0, MeanStaleness = 0,
    };

    [Fact]
    public void AllEvaluationsOfAUsualRunAreKept()
    {
        var collector = new ReportCollector();
        for (var v = 1; v <= 1000; v++)
        {
            collector.OnEvaluation(Row(v));
        }

        Assert.Equal(Enumerable.Range(1, 1000), collector.Evaluations.Select(r => r.Version));
    }

    [Fact]
    public void OfVeryManyEvaluationsEvenlySpacedOnesAndTheLastAreKept()
    {
        var collector = new ReportCollector();
        for (var v = 1; v <= 100_003; v++)
        {
            collector.OnEvaluation(Row(v));
        }

        var versions = collector.Evaluations.Select(r => r.Version).ToList();
        Assert.InRange(versions.Count, 2048, 4097);
        Assert.Equal(100_003, versions[^1]);
        Assert.Single(versions.SkipLast(1).Zip(versions.Skip(1).SkipLast(1), (a, b) => b - a).Distinct());
    }

    [Fact]
    public void MemoryDoesNotGrowWithTheNumberOfUpdates()
    {
        var collector = new ReportCollector();
        void Feed(int count)
        {
            for (var i = 0; i < count; i++)
            {
                collector.OnUpdate(new UpdateRow(i, i % 100, 0, i % 3000, 1, 1, 0, 1, 0, 0, 1, i % 7 == 0 ? UpdateOutcome.Lost : UpdateOutcome.Accepted, i % 7 == 0 ? "client-failed" : "", i, i + 1));
            }
        }

        Feed(10_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Feed(200_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
        Assert.Equal(210_000, collector.Outcomes.Values.Sum());
        Assert.Equal(collector.Outcomes[(UpdateOutcome.Accepted, "")], collector.AcceptedOf.Sum(n => (long)n));
        long staleness = 0;
        foreach (var count in collector.Staleness)
        {
            staleness += count;
        }

        Assert.Equal(collector.Outcomes[(UpdateOutcome.Accepted, "")], staleness);
    }
}
