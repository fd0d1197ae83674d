using Federated.Aggregation.Randomness;
using Federated.Coordinator.Models;
using Federated.Simulation.Engine;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;

namespace Federated.Simulation.Tests.Reports;

/// <summary>A made-up run with everything a report can show; the same for the same arguments.</summary>
internal static class SampleRun
{
    public static ReportInput Make(int clients = 20, int versions = 60, bool hospitals = false, string name = "sample", string finish = "versions", double speed = 12)
    {
        var random = new SeededRandom(5);
        var collector = new ReportCollector();
        long accepted = 0, rejected = 0, lost = 0;
        var free = new double[clients];
        for (var i = 0; i < versions * 4; i++)
        {
            var client = random.NextInt(clients);
            var (down, train, up) = (random.NextExponential(2), random.NextLogNormal(3, 0.6), random.NextExponential(4));
            var outcome = random.NextDouble() switch { < 0.08 => UpdateOutcome.Lost, < 0.14 => UpdateOutcome.Rejected, _ => UpdateOutcome.Accepted };
            var reason = outcome switch { UpdateOutcome.Lost => "client-failed", UpdateOutcome.Rejected => "stale", _ => "" };
            var start = free[client];
            free[client] += down + train + up;
            collector.OnUpdate(new UpdateRow(i, client, i / 4, (int)random.NextExponential(2.5), 20, 100, down, train, up, 0, 1, outcome, reason, start, free[client]));
            _ = outcome switch { UpdateOutcome.Accepted => accepted++, UpdateOutcome.Rejected => rejected++, _ => lost++ };
        }

        var (accuracy, loss) = (0.0, 0.0);
        for (var v = 1; v <= versions; v++)
        {
            accuracy = 0.97 - (0.85 * Math.Exp(-v / speed)) + random.NextNormal(0, 0.006);
            loss = 0.1 + (2.2 * Math.Exp(-v / speed)) + random.NextNormal(0, 0.01);
            collector.OnVersion(new VersionPublished(v, v * 6.5, 4, 1.2, 1, AggregateMeasures.None));
            collector.OnEvaluation(new MetricsRow
            {
                Version = v, Round = v, VirtualSeconds = v * 6.5, WallSeconds = v * 0.01, Accuracy = accuracy, Loss = loss, ClientUpdates = v * 4, BytesUp = v * 3_180_000L, BytesDown = v * 4_000_000L, MeanStaleness = 1.2,
            });
        }

        string[] names = ["Cleveland", "Budapest", "Zürich & Basel", "Long Beach"];
        var scores = hospitals ? names.Select((n, i) => new ClientScore(i, n, 60, 0.78 + (0.04 * i), 0.4)).ToList() : [];
        var summary = new RunSummary
        {
            Run = name, Seed = 1, Strategy = "buffered × mean × sgd × none", Clients = clients, Versions = versions, Accepted = accepted, Rejected = rejected, Lost = lost,
            Dispatched = accepted + rejected + lost, FinalAccuracy = accuracy, BestAccuracy = accuracy + 0.002, FinalLoss = loss, TimeToTargetSeconds = 188,
            VirtualSeconds = versions * 6.5, WallSeconds = 3.25, PeakRssBytes = 180_000_000, BytesUp = versions * 3_180_000L, BytesDown = versions * 4_000_000L,
            ModelSha256 = new string('a', 64), FinishReason = finish, FinishDetail = $"It reached version {versions}, as asked.", ClientScores = scores,
            Participation = new ParticipationSummary(0.1, [.. Enumerable.Range(0, clients).Select(i => new ClientParticipation(i, 3 + (i % 5), (1.0 + (hospitals ? i : 0)) / (clients * 2.5), (1.0 + (i % 5)) / (clients * 3.0)))]),
            Baselines = hospitals
                ?
                [
                    new BaselineScore("pooled", -1, "pooled", 4000, 0.85, 0.37, [.. scores.Select(s => s with { Accuracy = s.Accuracy + 0.015 })]),
                    .. scores.Select(s => new BaselineScore("local", s.Client, s.Name, 1000, s.Accuracy - 0.09, 0.6, [s with { Accuracy = s.Accuracy - 0.07 }])),
                ]
                : [],
        };
        var shown = Math.Min(clients, PartitionPicture.MostClients);
        var counts = Enumerable.Range(0, shown).Select(_ => (IReadOnlyList<int>)[.. random.NextDirichlet(0.4, 10).Select(p => (int)(300 * p))]).ToList();
        var partition = new PartitionPicture(
            clients, [.. Enumerable.Range(0, shown).Select(i => hospitals ? names[i % 4] : $"{i}")], counts,
            [.. Enumerable.Range(0, clients).Select(i => counts[i % shown].Sum())], "drawn-digits: 10,000 training and 2,000 test examples, 10 classes");
        return new ReportInput(summary, "name: sample\nstop:\n  versions: 60 # <b>\n", collector, partition);
    }
}
