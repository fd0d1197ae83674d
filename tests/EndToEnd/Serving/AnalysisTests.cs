using Federated.Client.Privacy;
using Federated.Client.Session;
using Federated.Coordinator.Analytics;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Privacy.Analytics;
using Federated.Privacy.Pipeline;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>Questions over the network: real clients answer once by a randomised report, and the run ends when nobody is left to ask.</summary>
public sealed class AnalysisTests : IDisposable
{
    private const int Clients = 40;

    private readonly string folder = Directory.CreateTempSubdirectory("fed-analysis-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("{ kind: mean, question: age, lower: 0, upper: 100, epsilon: 8 }")]
    [InlineData("{ kind: histogram, question: age, edges: [0, 20, 40, 60], epsilon: 8 }")]
    [InlineData("{ kind: quantiles, question: age, lower: 0, upper: 64, levels: 3, probabilities: [0.5], epsilon: 8, confidence: 0.9999 }")]
    [InlineData("{ kind: heavyHitters, question: word, count: 2, letters: 2, stepBits: 4, epsilon: 8 }")]
    public async Task Are_answered_once_by_each_client_and_the_estimates_survive_a_restart(string question)
    {
        var factory = new ExperimentRunFactory("data");
        var text = $$"""
            name: question
            seed: 3
            analysis: {{question}}
            strategy: { scheduler: { kind: buffered, concurrency: 40, aggregationGoal: 20 } }
            clients: { count: {{Clients}} }
            run: { stop: { versions: 50 } }
            """;
        AnalysisOutcome found;
        await using (var server = await TestCoordinator.StartAsync(folder, factory))
        {
            var run = await server.Runs.CreateAsync("question", factory.Read(text, []), default);
            var sessions = await Task.WhenAll(Enumerable.Range(0, Clients).Select(index => AnswerAsync(server, index)));
            Assert.All(sessions, s => Assert.Equal(1, s.Accepted));
            await run.FinishedAsync();
            Assert.Equal((2, FinishReason.Budget), (run.View.Version, run.View.Ended!.Value.Reason));
            found = OutcomeOf(run)!;
            Assert.Equal((Clients, 0), (found.Result!.Reports, found.Malformed));
            Check(found.Result);
            Assert.Equal(8, run.View.Spent!.Epsilon, 1e-3);
            Assert.Equal(PrivacyPolicies.Local, factory.Describe(run.Entry.Configuration).Privacy.Policy);
        }

        await using var again = await TestCoordinator.StartAsync(folder, factory);
        var restored = (await again.Runs.FindAsync("question", default))!;
        Assert.Equal(found.Result.Estimates, OutcomeOf(restored)!.Result!.Estimates);
        Assert.Equal(8, restored.View.Spent!.Epsilon, 1e-3);
    }

    /// <summary>Ten reports are in no version yet when the coordinator stops and saves everything: they count once all the same.</summary>
    [Fact]
    public async Task Count_each_report_once_when_the_coordinator_stops_between_two_versions()
    {
        var factory = new ExperimentRunFactory("data");
        const string text = """
            name: question
            seed: 3
            analysis: { kind: histogram, question: age, edges: [0, 20, 40, 60], epsilon: 20, oracle: grr, defences: false }
            strategy: { scheduler: { kind: buffered, concurrency: 20, aggregationGoal: 20 } }
            run: { stop: { clientUpdates: 40 } }
            """;
        await using (var server = await TestCoordinator.StartAsync(folder, factory))
        {
            var run = await server.Runs.CreateAsync("question", factory.Read(text, []), default);
            await Task.WhenAll(Enumerable.Range(0, 30).Select(index => AnswerAsync(server, index, updates: 1)));
            Assert.Equal((1, 30L, 20), (run.View.Version, run.View.Counters.Accepted, OutcomeOf(run)!.Result!.Reports));
        }

        await using var again = await TestCoordinator.StartAsync(folder, factory);
        var restored = (await again.Runs.FindAsync("question", default))!;
        Assert.Equal(20, OutcomeOf(restored)!.Result!.Reports);
        await Task.WhenAll(Enumerable.Range(30, 10).Select(index => AnswerAsync(again, index, updates: 1)));
        Assert.Equal((2, 40L, 40), (restored.View.Version, restored.View.Counters.Accepted, OutcomeOf(restored)!.Result!.Reports));
        Assert.Equal([0.25, 0.5, 0.25], OutcomeOf(restored)!.Result!.Estimates.Select(e => Math.Round(e.Value, 4)));
    }

    [Fact]
    public async Task Are_refused_by_clients_whose_policy_does_not_allow_them()
    {
        var factory = new ExperimentRunFactory("data");
        await using var server = await TestCoordinator.StartAsync(folder, factory);
        await server.Runs.CreateAsync(
            "question",
            factory.Read("name: question\nanalysis: { kind: mean, question: age, lower: 0, upper: 100 }\nstrategy: { scheduler: { kind: buffered, concurrency: 1, aggregationGoal: 1 } }\nrun: { stop: { versions: 5 } }\n", []),
            default);
        var asked = await AnswerAsync(server, 0, new PrivacyRequirements { Analyses = [AnalysisKinds.Histogram] });
        Assert.Equal(0, asked.Accepted);
        var weak = await AnswerAsync(server, 1, new PrivacyRequirements { MaxReportEpsilon = 0.5 });
        Assert.Equal(0, weak.Accepted);
        var allowed = await AnswerAsync(server, 2, new PrivacyRequirements { Analyses = [AnalysisKinds.Mean], MaxReportEpsilon = 1, Trust = RequiredTrust.Local }, updates: 1);
        Assert.Equal(1, allowed.Accepted);
    }

    [Theory]
    [InlineData("analysis: { kind: mean, question: age, lower: 5, upper: 1 }", "lower")]
    [InlineData("analysis: { kind: mean, question: age, lower: 0, upper: 1 }\nmodel: { kind: softmax }", "either asks a question or trains")]
    [InlineData("analysis: { kind: mean, question: age, lower: 0, upper: 1 }\nprivacy: { kind: local, delta: 1e-5 }", "analysis.epsilon")]
    public void That_make_no_sense_are_refused_with_the_reason(string analysis, string reason)
    {
        var factory = new ExperimentRunFactory("data");
        var refused = Assert.Throws<Coordinator.CoordinatorException>(() => factory.Describe(factory.Read($"name: question\n{analysis}\nrun: {{ stop: {{ versions: 5 }} }}\n", [])));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>At ε₀ = 8 forty reports say nearly what forty answers do: a quarter each of 10, 30 and 50 and 30, words "to" and "be".</summary>
    /// <remarks>
    /// Clients draw from the system, so that there is no seed to fix. A false alarm is rarer than 1e-8: the mean is off by 10 when ten reports of forty are outliers, a
    /// share by 0.2 when eight answers of forty are not told as they are (1e-17), the interval of the median when a level's sample is six deviations off, and the
    /// words when neither comes through.
    /// </remarks>
    private static void Check(AnalysisResult result)
    {
        switch (result.Kind)
        {
            case AnalysisKinds.Mean:
                Assert.InRange(result.Estimates[0].Value, 20, 40);
                break;
            case AnalysisKinds.Histogram:
                Assert.Equal(3, result.Estimates.Count);
                Assert.InRange(result.Estimates[1].Value, 0.3, 0.7);
                break;
            case AnalysisKinds.Quantiles:
                Assert.InRange(30, result.Estimates[0].Low, result.Estimates[0].High);
                break;
            default:
                Assert.Equal(2, result.Estimates.Count);
                Assert.Contains(result.Estimates, e => e.Name is "to" or "be");
                break;
        }
    }

    private static AnalysisOutcome? OutcomeOf(IRun run) => run.Parts.Sections.OfType<IAnalysisOutcome>().Single().Outcome;

    private static async Task<SessionSummary> AnswerAsync(CoordinatorServer server, int index, PrivacyRequirements? privacy = null, int updates = 0)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        return await Participant.AnswerAsync(
            Participant.OptionsOf("question", Person.Name(index), server.Url()) with { Privacy = privacy, MaxUpdates = updates }, new Person(index), Participant.Transport(null, server.Url()), limit.Token);
    }
}
