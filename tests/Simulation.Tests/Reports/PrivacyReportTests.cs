using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;

namespace Federated.Simulation.Tests.Reports;

public static class PrivacyReportTests
{
    private static readonly PrivacyGuarantee Guarantee = new()
    {
        Epsilon = 2.5, Delta = 1e-5, Relation = new NeighbourRelation(PrivacyUnit.Client, Adjacency.ZeroOut), Trust = TrustModel.Central, Accountant = "analytic-gaussian",
        Assumptions = ["The noise is drawn <secretly>."],
    };

    private static RunSummary Private(string policy, double epsilon, double accuracy) => SampleRun.Make().Summary with
    {
        Epsilon = epsilon, Delta = 1e-5, FinalAccuracy = accuracy, Privacy = new PrivacySummary(Statement(policy, epsilon), ["Versions are evaluated on public examples."]),
    };

    private static PrivacyStatement Statement(string policy, double epsilon) => new()
    {
        Policy = policy,
        Terms = new PolicyTerms { Mechanism = "dp-fedavg", Relation = Guarantee.Relation, NoiseMultiplier = 2, ClipNorm = 1, Limits = new ParticipationLimits { Cap = 4, Because = "all that the policy's cap allows" } },
        Planned = Guarantee,
        Spent = Guarantee with { Epsilon = epsilon },
        Parties = [new StatementParty("the coordinator", "every <update>", IsTrusted: true)],
        NotProtected = ["That a client takes part."],
    };

    public sealed class The_report
    {
        [Fact]
        public void Says_the_guarantee_with_all_that_it_rests_on_and_plots_accuracy_against_epsilon()
        {
            var collector = new ReportCollector();
            for (var v = 0; v < 5; v++)
            {
                collector.OnEvaluation(new MetricsRow
                {
                    Version = v, Round = v, VirtualSeconds = v, WallSeconds = v, Accuracy = 0.1 * v, Loss = 1, ClientUpdates = v, BytesUp = v, BytesDown = v, MeanStaleness = 0, Epsilon = 0.5 * v,
                });
            }

            var page = RunReport.Render(new ReportInput(Private("central", 2.5, 0.4), "", collector, null));
            foreach (var part in (string[])["(2.5, 1E-05)-DP, zero-out client, central trust", "the server", "analytic-gaussian", "The noise is drawn &lt;secretly&gt;.", "on public examples", "Accuracy by ε spent", "ε spent by version", "the coordinator (trusted): every &lt;update&gt;", "That a client takes part.", "No client takes part more than 4 times"])
            {
                Assert.Contains(part, page, StringComparison.Ordinal);
            }
        }

        [Fact]
        public void Of_a_run_without_privacy_promises_none()
        {
            var page = RunReport.Render(SampleRun.Make());
            Assert.Contains("no differential privacy", page, StringComparison.Ordinal);
            Assert.DoesNotContain("Accuracy by ε", page, StringComparison.Ordinal);
        }
    }

    public sealed class The_comparison
    {
        [Fact]
        public void Has_final_accuracy_by_epsilon_one_curve_a_policy()
        {
            RecordedRun Recorded(string name, RunSummary summary) => new(name, name, summary, [], false);
            RecordedRun[] runs = [Recorded("a", Private("central", 1, 0.7)), Recorded("b", Private("central", 2, 0.8)), Recorded("c", Private("local", 2, 0.2)), Recorded("d", SampleRun.Make().Summary)];
            var page = ComparisonReport.Render(runs);
            Assert.Contains("Final accuracy by ε and policy", page, StringComparison.Ordinal);
            var (_, rows) = ComparisonReport.Table(runs);
            Assert.Contains("2 at δ 1e-5, local", rows[2]);
            Assert.DoesNotContain("δ", string.Join(" ", rows[3]), StringComparison.Ordinal);
        }
    }
}
