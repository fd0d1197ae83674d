using System.Globalization;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Simulation.Tests.Engine;

namespace Federated.Simulation.Tests.Scheduling;

/// <summary>
/// The two FedCompass traces on which the published scheduler and an independent implementation agree: Q_min = 20, Q_max = 100, λ = 1.25,
/// speed momentum 0.75, everybody starts at 0 with 100 steps, transfers take no time. Speeds are dyadic, so every floor() is exact.
/// </summary>
public sealed class CompassTraceTests
{
    private const double A = 1 / 64.0, B = 3 / 128.0, C = 5 / 128.0, D = 29 / 256.0;

    [Fact]
    public void ConstantSpeedsGiveTheReferenceTrace() => Assert.Equal(
        [
            "1.5625 v1 A:100/0",
            "2.34375 v2 B:100/1",
            "3.125 v3 A:100/1 B:33/0",
            "3.90625 v4 C:100/3",
            "4.6875 v5 A:100/1 B:66/1 C:20/0",
            "6.25 v6 A:100/0 B:66/0 C:40/0",
            "7.8125 v7 A:100/0 B:66/0 C:40/0",
            "9.375 v8 A:100/0 B:66/0 C:40/0",
            "10.9375 v9 A:100/0 B:66/0 C:40/0",
            "11.328125 v10 D:100/9",
            "12.5 v11 A:100/1 B:66/1 C:40/1",
            "14.0625 v12 A:100/0",
            "14.386719 v13 A:20/0 B:80/1 C:48/1 D:27/2",
        ],
        Trace([[A], [B], [C], [D]], versions: 13));

    [Fact]
    public void TheRepliesAreTheReferences() => Assert.Equal(
        [
            "1.5625:A@1,100", "2.34375:B@2,33", "3.125:A@3,100", "3.125:B@3,66", "3.90625:C@4,20",
            "4.6875:A@5,100", "4.6875:B@5,66", "4.6875:C@5,40", "6.25:A@6,100", "6.25:B@6,66", "6.25:C@6,40",
            "7.8125:A@7,100", "7.8125:B@7,66", "7.8125:C@7,40", "9.375:A@8,100", "9.375:B@8,66", "9.375:C@8,40",
            "10.9375:A@9,100", "10.9375:B@9,66", "10.9375:C@9,40", "11.328125:D@10,27", "12.5:A@11,100", "12.5:B@11,80", "12.5:C@11,48",
            "14.0625:A@12,20", "14.386719:A@13,100", "14.386719:B@13,66", "14.386719:C@13,40", "14.386719:D@13,31",
        ],
        Replies([[A], [B], [C], [D]], versions: 14).Where(r => r.Time is > 0 and < 14.5).Select(r => r.Text));

    [Fact]
    public void TheLateArrivalIsAnsweredAtOnceWithTheNewestVersion() =>
        Assert.Contains("9.3125:B@7,31", Replies([[A], [B, B, 4 * B, B], [C]], versions: 10).Select(r => r.Text));

    [Fact]
    public void ALateArrivalIsParkedAndMergedWithTheNextGroup() => Assert.Equal(
        [
            "1.5625 v1 A:100/0",
            "2.34375 v2 B:100/1",
            "3.125 v3 A:100/1 B:33/0",
            "3.90625 v4 C:100/3",
            "5.078125 v5 A:100/1 C:20/0",
            "6.640625 v6 A:100/0 C:40/0",
            "8.203125 v7 A:100/0 C:40/0",
            "9.765625 v8 A:100/0 B:66/4 C:40/0",
            "11.328125 v9 A:100/0",
            "11.671875 v10 A:22/0 B:31/2 C:48/1",
        ],
        Trace([[A], [B, B, 4 * B, B], [C]], versions: 10));

    private static List<string> Trace(IReadOnlyList<IReadOnlyList<double>> secondsPerStep, int versions)
    {
        var observer = new TraceObserver();
        Run(secondsPerStep, versions, observer, []);
        return observer.Lines;
    }

    private static List<(double Time, string Text)> Replies(IReadOnlyList<IReadOnlyList<double>> secondsPerStep, int versions)
    {
        List<(double, string)> replies = [];
        Run(secondsPerStep, versions, new TraceObserver(), replies);
        return replies;
    }

    private static void Run(
        IReadOnlyList<IReadOnlyList<double>> secondsPerStep, int versions, ISimulationObserver observer, List<(double, string)> replies)
    {
        var options = new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { Versions = versions } };
        var scheduler = new CompassScheduler(
            new CompassOptions { MinSteps = 20, MaxSteps = 100, LatestTimeFactor = 1.25, SpeedMomentum = 0.75 }, UpdateWeight.Equal);
        var clients = new ClientsOptions { Responsiveness = new TableResponsiveness { Rows = secondsPerStep } };
        using var workload = new Replying(new TimelineWorkload(_ => 100, 10, 0), replies);
        new Simulator(
            new RunMachine(options, scheduler), options, new Fleet(clients, secondsPerStep.Count, 1), workload, observer, TimeProvider.System)
            .Run(CancellationToken.None);
    }

    private static string Seconds(double time) => Math.Round(time, 6).ToString(CultureInfo.InvariantCulture);

    private sealed class Replying(IWorkload inner, List<(double, string)> replies) : PassingWorkload(inner)
    {
        public override void Begin(int slot, Assignment assignment, int steps, double due)
        {
            var time = assignment.DispatchedAt;
            replies.Add((time, $"{Seconds(time)}:{(char)('A' + assignment.Client.Value)}@{assignment.BaseVersion},{steps}"));
            base.Begin(slot, assignment, steps, due);
        }
    }

    private sealed class TraceObserver : ISimulationObserver
    {
        private readonly List<(int Client, string Text)> merged = [];

        public List<string> Lines { get; } = [];

        public void OnUpdate(in UpdateRow row)
        {
            if (row.Outcome == UpdateOutcome.Accepted)
            {
                merged.Add((row.Client, $"{(char)('A' + row.Client)}:{row.LocalSteps}/{row.Staleness}"));
            }
        }

        public void OnVersion(in VersionPublished version)
        {
            Lines.Add($"{Seconds(version.VirtualSeconds)} v{version.Version} {string.Join(' ', merged.OrderBy(m => m.Client).Select(m => m.Text))}");
            merged.Clear();
        }
    }
}
