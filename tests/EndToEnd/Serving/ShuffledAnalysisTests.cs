using Federated.Client.Privacy;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Coordinator.Analytics;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Privacy.Analytics;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>Questions whose answers pass a shuffler: a coordinator, one shuffler or two, and clients of the SDK, over HTTP.</summary>
public sealed class ShuffledAnalysisTests : ShuffledTests
{
    private const int Clients = 40;

    [Theory]
    [InlineData("{ kind: mean, question: age, lower: 0, upper: 100, epsilon: 6 }", "buffered, concurrency: 40, aggregationGoal: 20", 1)]
    [InlineData("{ kind: mean, question: age, lower: 0, upper: 100, epsilon: 6 }", "synchronous, cohort: 20", 2)]
    [InlineData("{ kind: histogram, question: age, edges: [0, 20, 40, 60], epsilon: 6 }", "buffered, concurrency: 40, aggregationGoal: 20", 1)]
    [InlineData("{ kind: histogram, question: age, edges: [0, 20, 40, 60], epsilon: 6, oracle: olh }", "buffered, concurrency: 40, aggregationGoal: 20", 1)]
    public async Task Are_estimated_from_whole_batches_and_the_statement_has_both_guarantees(string question, string scheduler, int shufflers)
    {
        var factory = new ExperimentRunFactory("data");
        var server = await StartAsync();
        var names = await StartShufflersAsync(server, shufflers);
        var run = await server.Runs.CreateAsync("question", factory.Read(Text(question, scheduler, names, "delta: 1e-5"), []), default);
        var policy = new PrivacyRequirements { Trust = RequiredTrust.Shuffle, MaxDelta = 1e-4, MaxReportEpsilon = 6 };
        var sessions = await Task.WhenAll(Enumerable.Range(0, Clients).Select(index => AnswerAsync(server, index, policy)));
        Assert.All(sessions, s => Assert.Equal(1, s.Accepted));
        await run.FinishedAsync();
        var found = run.Parts.Sections.OfType<IAnalysisOutcome>().Single().Outcome!;
        Assert.Equal((Clients, 0), (found.Result!.Reports, found.Malformed));
        Assert.Equal((2, 0), (run.View.Version, run.View.Counters.Rejected));
        Assert.True(run.View.Counters.Balances, run.View.Counters.ToString());

        // Clients draw from the system, so that there is no seed to fix. Forty reports of ε₀ = 6 have deviations of 2.1 (a mean, with rare outliers), 0.01 (a
        // histogram) and 0.11 (one by hashing, to two values): a false alarm is rarer than 1e-8.
        var (estimate, least, most) = found.Result.Kind == AnalysisKinds.Mean ? (found.Result.Estimates[0].Value, 10, 50)
            : question.Contains("olh", StringComparison.Ordinal) ? (found.Result.Estimates[1].Value, -0.3, 1.3)
            : (found.Result.Estimates[1].Value, 0.2, 0.8);
        Assert.InRange(estimate, least, most);

        var statement = factory.Describe(run.Entry.Configuration).Privacy;
        Assert.Equal((PrivacyPolicies.Shuffle, 20), (statement.Policy, statement.Terms.MinimumBatch));
        Assert.InRange(statement.Terms.ReportEpsilon, 5.99, 6);
        Assert.InRange(statement.Planned!.Epsilon, 0.1, 5.99999); // Twenty hide next to nothing; the point is that their ε is stated.
        Assert.Equal(statement.Planned.Epsilon, run.View.Spent!.Epsilon, 1e-9);
        Assert.InRange(statement.Terms.WithoutShuffling!.Epsilon, 5.99, 6.01);
        Assert.Contains(names[0], statement.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ten_thousand_cost_a_fraction_of_the_report_and_those_who_collude_hide_nobody()
    {
        var factory = new ExperimentRunFactory("data");
        PrivacyStatement Of(string privacy) => factory.Describe(factory.Read(
            Text("{ kind: mean, question: age, lower: 0, upper: 1, epsilon: 2 }", "buffered, concurrency: 10000, aggregationGoal: 10000", ["s0"], privacy).Replace("count: 40", "count: 20000", StringComparison.Ordinal), [])).Privacy;
        Assert.InRange(Of("delta: 1e-6").Planned!.Epsilon, 0.05, 0.13);
        Assert.InRange(Of("delta: 1e-6, assumedCorrupt: 9000").Planned!.Epsilon, 0.3, 0.45);
        Assert.InRange(Of("delta: 1e-6").Terms.WithoutShuffling!.Epsilon, 1.99, 2.01);
    }

    /// <summary>Groups have batches of their own; what is left of one that does not fill is dropped whole.</summary>
    [Theory]
    [InlineData("{ kind: quantiles, question: age, lower: 0, upper: 64, levels: 2, probabilities: [0.5], epsilon: 6 }")]
    [InlineData("{ kind: heavyHitters, question: word, count: 2, letters: 2, stepBits: 4, epsilon: 6 }")]
    public async Task Of_groups_are_shuffled_group_by_group(string question)
    {
        const int batch = 4;
        var factory = new ExperimentRunFactory("data");
        var server = await StartAsync();
        var windows = new LeapingWindows();
        var names = await StartShufflersAsync(server, 1, clock: windows);
        var run = await server.Runs.CreateAsync(
            "question", factory.Read(Text(question, "buffered, concurrency: 40, aggregationGoal: 4", names, $"minBatch: {batch}, batchSeconds: 3600"), []), default);
        var reported = new Reported();
        var answering = Task.WhenAll(Enumerable.Range(0, Clients).Select(index => AnswerAsync(server, index, heard: reported)));
        while (!answering.IsCompleted)
        {
            if (reported.Count >= Clients)
            {
                windows.Leap(TimeSpan.FromSeconds(3700)); // What fills no batch will not. Again and again: a timer may just have been set anew.
            }

            await Task.Delay(20);
        }

        var sessions = await answering;
        await run.FinishedAsync();
        var found = run.Parts.Sections.OfType<IAnalysisOutcome>().Single().Outcome!;
        Assert.Equal(0, found.Malformed);
        Assert.InRange(found.Result!.Reports, 0, sessions.Sum(s => s.Accepted));
        Assert.Equal(0, found.Result.Reports % batch);
        Assert.InRange(found.Result.Reports, 24, Clients); // At most three of each group are left over.
        Assert.Equal(batch, factory.Describe(run.Entry.Configuration).Privacy.Terms.MinimumBatch);
    }

    [Fact]
    public async Task A_report_that_comes_from_its_client_itself_is_not_read()
    {
        var factory = new ExperimentRunFactory("data");
        var server = await StartAsync();
        var names = await StartShufflersAsync(server, 1);
        await server.Runs.CreateAsync(
            "question", factory.Read(Text("{ kind: mean, question: age, lower: 0, upper: 100 }", "buffered, concurrency: 4, aggregationGoal: 4", names, "delta: 1e-6").Replace("count: 40", "count: 4", StringComparison.Ordinal), []), default);
        var direct = new DirectTransport(Participant.Transport(null, server.Url()));
        using var enough = new CancellationTokenSource();
        var session = AnswerAsync(server, 0, transport: direct, cancellation: enough.Token);
        var others = Enumerable.Range(1, 3).Select(index => AnswerAsync(server, index, cancellation: enough.Token)).ToList(); // The run waits for four.
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (direct.Problem.Length == 0 && !session.IsCompleted)
        {
            await Task.Delay(5, limit.Token);
        }

        Assert.Equal("not-shuffled", direct.Problem);
        await enough.CancelAsync(); // It has answered, and would wait for the run's end.
        await Task.WhenAll(others.Append(session).Select(s => Record.ExceptionAsync(() => s)));
    }

    [Theory]
    [InlineData("{ kind: mean, question: age, lower: 0, upper: 1 }", "anarchic", "shufflers: [s0]", "synchronous or a buffered scheduler")]
    [InlineData("{ kind: mean, question: age, lower: 0, upper: 1 }", "buffered, concurrency: 40, aggregationGoal: 20", "delta: 1e-6", "names one")]
    [InlineData("{ kind: mean, question: age, lower: 0, upper: 1 }", "buffered, concurrency: 40, aggregationGoal: 20", "reportEpsilon: 2, shufflers: [s0]", "leave reportEpsilon")]
    [InlineData("{ kind: mean, question: age, lower: 0, upper: 1 }", "buffered, concurrency: 40, aggregationGoal: 20", "minBatch: 41, shufflers: [s0]", "asked at once")]
    [InlineData("{ kind: mean, question: age, lower: 0, upper: 1 }", "buffered, concurrency: 40, aggregationGoal: 20", "assumedCorrupt: 19, shufflers: [s0]", "2 honest reports")]
    [InlineData("{ kind: quantiles, question: age, lower: 0, upper: 1 }", "synchronous, cohort: 20", "shufflers: [s0]", "6 groups")]
    [InlineData("{ kind: quantiles, question: age, lower: 0, upper: 1 }", "buffered, concurrency: 40, aggregationGoal: 20", "shufflers: [s0]", "115 clients")]
    public void That_cannot_be_shuffled_are_refused_with_the_reason(string question, string scheduler, string privacy, string reason)
    {
        var factory = new ExperimentRunFactory("data");
        var refused = Assert.Throws<Coordinator.CoordinatorException>(() => factory.Describe(factory.Read(Text(question, scheduler, null, privacy), [])));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    private static string Text(string question, string scheduler, IReadOnlyList<string>? shufflers, string privacy) => $$"""
        name: question
        seed: 3
        analysis: {{question}}
        strategy: { scheduler: { kind: {{scheduler}} } }
        clients: { count: {{Clients}} }
        run: { stop: { versions: 50 } }
        privacy: { kind: shuffle, {{(shufflers is null ? "" : $"shufflers: [{string.Join(", ", shufflers)}], ")}}{{privacy}} }
        """;

    private static async Task<SessionSummary> AnswerAsync(CoordinatorServer server, int index, PrivacyRequirements? privacy = null, ITransport? transport = null, Reported? heard = null, CancellationToken cancellation = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        return await Participant.AnswerAsync(
            Participant.OptionsOf("question", Person.Name(index), server.Url()) with { Privacy = privacy }, new Person(index),
            transport ?? new CountedTransport(Participant.Transport(null, server.Url()), heard ?? new Reported()), limit.Token);
    }

    /// <summary>Clients whose report a shuffler has taken.</summary>
    private sealed class Reported
    {
        private int count;

        public int Count => Volatile.Read(ref count);

        public void Add() => Interlocked.Increment(ref count);
    }

    private sealed class CountedTransport(HttpTransport inner, Reported reported) : ForwardingTransport(inner)
    {
        private bool hasReported;

        public override async ValueTask SendReportAsync(Uri shuffler, string proof, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
        {
            await base.SendReportAsync(shuffler, proof, envelope, cancellation);
            if (!hasReported) // What is sent again is the same.
            {
                hasReported = true;
                reported.Add();
            }
        }
    }
}
