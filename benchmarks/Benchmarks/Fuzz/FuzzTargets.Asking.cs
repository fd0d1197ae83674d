using System.Text;
using System.Text.Json;
using Federated.Client.Privacy;
using Federated.Client.Store;
using Federated.Coordinator;
using Federated.Privacy.Analytics;
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;
using Federated.Simulation.Serving;

namespace Federated.Benchmarks.Fuzz;

/// <content>Statements that clients judge, questions that they are asked, their reports, and what an operator creates runs from.</content>
internal static partial class FuzzTargets
{
    private static readonly RunFacts Facts = new() { Dimension = Dimension, Clients = 1000, UpdatesPerRelease = 100, LeastUpdatesPerRelease = 100 };

    private static IEnumerable<FuzzTarget> Asking()
    {
        PrivacyOptions[] policies =
        [
            new CentralPrivacyOptions { Epsilon = 4, MaxParticipations = 12 }, new CentralPrivacyOptions { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2, Steps = 40, MaxParticipations = 4 } },
            new LocalPrivacyOptions { ReportEpsilon = 2, MaxParticipations = 5 }, new ShufflePrivacyOptions { ReportEpsilon = 2, MaxParticipations = 5 },
        ];
        using var random = new ReleaseRandom(ReleaseRandom.NewKey());
        var told = policies.Select(policy => new RunPrivacyMessage(
            "run", 0, StatementMessage.Of(PrivacyStatement.Of(PrivacyPolicies.Create<float>(policy, Facts, random), StatementSetting.Served))) { CreatedAt = "2026-01-01T00:00:00Z" }).ToList();
        told.Add(told[0] with { Statement = told[0].Statement with { Inherited = new InheritanceMessage("before", 3, "at-version", told[0].Statement.Planned) } });
        var store = new MemoryClientStore(new MemoryModelCache(1 << 20));
        var requirements = new PrivacyRequirements { MaxEpsilon = 10, LifetimeEpsilon = 20 };
        yield return new FuzzTarget("statement", 2, [.. told.SelectMany(t => WithHoles(JsonSerializer.SerializeToUtf8Bytes(t, WireJson.Default.RunPrivacyMessage)))], input => Refusable(() =>
        {
            if (JsonSerializer.Deserialize(input, WireJson.Default.RunPrivacyMessage) is not { } statement
                || new PrivacyGuard(requirements, null, "run", store).Judge(statement) is not null)
            {
                throw new JsonException("It was refused.");
            }
        })) { Allowance = 8 << 20 }; // It computes for itself what the statement says, on an accountant's grid.

        AnalysisOptions[] questions =
        [
            new MeanOptions { Question = "age", Lower = 0, Upper = 120 }, new HistogramOptions { Question = "age", Edges = [0, 20, 40, 60] },
            new HistogramOptions { Question = "ward", Categories = ["a", "b", "c"], Epsilon = 3 }, new QuantilesOptions { Question = "age", Lower = 0, Upper = 120 },
            new HeavyHittersOptions { Question = "word" },
        ];
        yield return new FuzzTarget("analysis question", 4, [.. questions.SelectMany(q => WithHoles(Encoding.UTF8.GetBytes(new AnalysisPlan(q).ToJson().GetRawText())))], input => Refusable(() =>
        {
            using var json = JsonDocument.Parse(input);
            _ = AnalysisPlan.Of(json.RootElement) is { } plan ? PrivateAnalysis.Create(plan.Analysis) : throw new JsonException("It asks nothing.");
        }));

        foreach (var question in questions)
        {
            yield return Report(PrivateAnalysis.Create(question));
        }

        var runs = new ExperimentRunFactory("data");
        yield return new FuzzTarget("analysis run", 1, [.. new[]
        {
            """
            name: age
            analysis: { kind: quantiles, question: age, epsilon: 2, lower: 0, upper: 120 }
            strategy: { scheduler: { kind: buffered, concurrency: 100, aggregationGoal: 20 } }
            run: { stop: { clientUpdates: 90 } }
            """,
            """
            name: words
            analysis:
              kind: histogram
              question: word
              categories: [a, b]
            strategy:
              scheduler:
                kind: buffered
                concurrency: 100
            run:
              stop:
                clientUpdates: 90
            """,
        }.Select(Encoding.UTF8.GetBytes)], input => Refusable(() => runs.Read(Encoding.UTF8.GetString(input), []))) { Allowance = 8 << 20 };
    }

    /// <summary>A client's bytes, of any ticket; what is taken is estimated from once, as the server would at its next version.</summary>
    private static FuzzTarget Report(PrivateAnalysis analysis)
    {
        using var random = new SimulationRandom(7);
        var samples = Enumerable.Range(0, 8).Select(i =>
        {
            var report = new byte[analysis.ReportBytes];
            analysis.Randomize(analysis.AsksForNumber ? AnalysisAnswer.Of(10.0 * i) : AnalysisAnswer.Of($"word{i}"), Ticket.OfCoin((ulong)i * 77, analysis.Groups), report, random);
            return report;
        }).ToList();
        return new FuzzTarget($"analysis {analysis.Kind}", 4, samples, input =>
        {
            var ticket = PrivateAnalysis.OwnTicket(input.Length > 0 ? input[^1] % (analysis.Groups + 1) : 0, input);
            if (analysis.Problem(input, ticket) is not null)
            {
                return false;
            }

            new ReportStore(analysis).Add(input, ticket);
            return true;
        });
    }
}
