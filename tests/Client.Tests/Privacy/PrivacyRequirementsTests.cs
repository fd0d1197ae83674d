using System.Text.Json;
using Federated.Client.Privacy;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Tests.Fakes;
using Federated.Client.Tests.Session;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Privacy;

/// <summary>A client with requirements of its own, and coordinators that meet them, do not, and lie.</summary>
public static partial class PrivacyRequirementsTests
{
    private static readonly RunFacts Facts = new() { Dimension = FakeCoordinator.Dimension, Clients = 1000, UpdatesPerRelease = 100, LeastUpdatesPerRelease = 100 };

    /// <summary>What an honest coordinator says of a run with such a policy.</summary>
    private static RunPrivacyMessage Statement(PrivacyOptions options, string created = "2026-01-01T00:00:00Z")
    {
        using var random = new ReleaseRandom(ReleaseRandom.NewKey());
        var statement = options is NoPrivacyOptions
            ? PrivacyStatement.None(StatementSetting.Served)
            : PrivacyStatement.Of(PrivacyPolicies.Create<float>(options, Facts, random), StatementSetting.Served);
        return new RunPrivacyMessage("run", 0, StatementMessage.Of(statement)) { CreatedAt = created };
    }

    private static RunPrivacyMessage Lying(RunPrivacyMessage told, Func<StatementMessage, StatementMessage> lie) => told with { Statement = lie(told.Statement) };

    private static JsonElement Step(double epsilon) => new ProtectionMessage(ProtectionMessage.Randomize, 1, "privunitg", epsilon).ToJson();

    private static readonly CentralPrivacyOptions Central = new() { Epsilon = 4, MaxParticipations = 12 };

    private static JsonElement Clip => new ProtectionMessage(ProtectionMessage.Clip, 1).ToJson();

    public abstract class Fixture : SessionFixture
    {
        private protected void Require(PrivacyRequirements requirements) => Driver.Options = Driver.Options with { Privacy = requirements };

        /// <summary>The session ends with this reason and nothing was sent.</summary>
        private protected void AssertRefused(string reason, bool joined)
        {
            var summary = Driver.Run();
            Assert.True(summary.IsPrivacyRefusal, summary.Reason);
            Assert.Contains(reason, summary.Reason, StringComparison.Ordinal);
            Assert.Empty(Coordinator.Accepted);
            Assert.Contains(reason, Driver.Events.OfType<PrivacyRefused>().Single().Reason, StringComparison.Ordinal);
            Assert.Equal(joined, Coordinator.Requests.ContainsKey("check-in"));
            Assert.Empty(Trainer.Tasks);
            if (joined)
            {
                Assert.Contains(reason, Coordinator.Failed.Single().Value, StringComparison.Ordinal);
            }
        }
    }

    public sealed class A_run_that_is_too_weak : Fixture
    {
        [Fact]
        public void Is_not_even_joined_when_it_guarantees_nothing()
        {
            Require(new PrivacyRequirements());
            AssertRefused("it asks for a run whose coordinator adds noise at least, and the run's policy is none", joined: false);
        }

        [Theory]
        [InlineData(RequiredTrust.Distributed)]
        [InlineData(RequiredTrust.Shuffle)]
        [InlineData(RequiredTrust.Local)]
        public void Is_not_joined_when_it_trusts_the_coordinator_with_more(RequiredTrust trust)
        {
            Coordinator.Told = Statement(Central);
            Require(new PrivacyRequirements { Trust = trust });
            AssertRefused("and the run's policy is central", joined: false);
        }

        [Fact]
        public void Is_not_joined_when_it_may_cost_more_than_the_client_allows()
        {
            Coordinator.Told = Statement(Central);
            Require(new PrivacyRequirements { MaxEpsilon = 3.9 });
            AssertRefused("it allows ε = 3.9 at most, and the run may cost 4", joined: false);
        }

        [Fact]
        public void Is_not_joined_when_a_branch_costs_more_with_what_it_inherited()
        {
            var told = Statement(Central);
            var inherited = new InheritanceMessage("before", 3, "at-version", told.Statement.Planned! with { Epsilon = 2, Delta = 1e-6 });
            Coordinator.Told = told with { Statement = told.Statement with { Inherited = inherited } };
            Require(new PrivacyRequirements { MaxEpsilon = 5.9 });
            AssertRefused("it allows ε = 5.9 at most, and the run may cost 6 with what it inherited", joined: false);
        }

        [Fact]
        public void Is_not_joined_when_the_deltas_of_a_branch_and_of_what_it_inherited_are_too_large_together()
        {
            var told = Statement(Central);
            var inherited = new InheritanceMessage("before", 3, "at-version", told.Statement.Planned! with { Epsilon = 2, Delta = 1e-6 });
            Coordinator.Told = told with { Statement = told.Statement with { Inherited = inherited } };
            Require(new PrivacyRequirements { MaxDelta = 1.5e-6 });
            AssertRefused("it allows a δ of 1.5e-6 at most, and the run's is 2e-6 with what it inherited", joined: false);
        }

        [Fact]
        public void Is_not_joined_when_nothing_bounds_what_a_branch_inherited_even_where_the_client_randomises_itself()
        {
            var told = Statement(new LocalPrivacyOptions { ReportEpsilon = 1, MaxParticipations = 2 });
            Coordinator.Told = told with { Statement = told.Statement with { Inherited = new InheritanceMessage("before", 3, "unbounded") } };
            Require(new PrivacyRequirements { MaxEpsilon = 50 });
            AssertRefused("nothing bounds what version 3 of 'before', which the run was branched from, had cost", joined: false);
        }

        [Fact]
        public void Is_not_joined_when_nothing_bounds_it()
        {
            Coordinator.Told = Statement(new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { NoiseMultiplier = 3 } });
            Require(new PrivacyRequirements { MaxEpsilon = 100 });
            AssertRefused("nothing bounds in advance what the run costs", joined: false);
        }

        [Fact]
        public void Is_not_joined_when_its_delta_is_too_large()
        {
            Coordinator.Told = Statement(Central with { Delta = 1e-3 });
            Require(new PrivacyRequirements());
            AssertRefused("it allows a δ of 1e-5 at most, and the run's is 0.001", joined: false);
        }

        [Fact]
        public void Is_not_joined_when_its_reports_say_too_much_if_all_others_collude()
        {
            Coordinator.Told = Statement(new ShufflePrivacyOptions { ReportEpsilon = 6, MaxParticipations = 2 });
            Require(new PrivacyRequirements { MaxReportEpsilon = 4 });
            AssertRefused("it allows reports of ε₀ = 4 at most, and the run's are of 6", joined: false);
        }

        [Fact]
        public void Is_not_joined_when_it_is_another_coordinators()
        {
            Coordinator.Told = Statement(Central);
            Require(new PrivacyRequirements { Coordinators = ["hospital"] });
            AssertRefused("it works for the coordinators hospital only, and this one is 'coordinator'", joined: false);
        }
    }

    public sealed class A_coordinator_that_lies : Fixture
    {
        [Fact]
        public void About_the_epsilon_of_a_report_gets_none()
        {
            Coordinator.Told = Statement(new LocalPrivacyOptions { ReportEpsilon = 1, MaxParticipations = 5 });
            Coordinator.Privacy = Step(8);
            Require(new PrivacyRequirements { Trust = RequiredTrust.Local });
            AssertRefused("the run's statement says ε₀ = 1, and the assignment asks for a report of 8", joined: true);
        }

        [Fact]
        public void About_randomising_at_all_gets_no_bare_update()
        {
            Coordinator.Told = Statement(new LocalPrivacyOptions { ReportEpsilon = 1, MaxParticipations = 5 });
            Require(new PrivacyRequirements { Trust = RequiredTrust.Local });
            AssertRefused("the run's statement says local, and the assignment asks for the update as it is", joined: true);
        }

        [Fact]
        public void About_what_its_reports_add_up_to_is_found_out_before_the_client_joins()
        {
            Coordinator.Told = Lying(
                Statement(new LocalPrivacyOptions { ReportEpsilon = 4, MaxParticipations = 5 }), s => s with { Planned = s.Planned! with { Epsilon = 1 } });
            Require(new PrivacyRequirements { Trust = RequiredTrust.Local, MaxEpsilon = 2 });
            AssertRefused("the run's statement promises ε = 1 at δ = 1e-6, and its own numbers give 20", joined: false);
        }

        [Fact]
        public void About_what_shuffling_gains_is_found_out_before_the_client_joins()
        {
            var honest = Statement(new ShufflePrivacyOptions { ReportEpsilon = 2, MaxParticipations = 5 });
            Coordinator.Told = Lying(honest, s => s with { Planned = s.Planned! with { Epsilon = s.Planned.Epsilon / 2 } });
            Require(new PrivacyRequirements { Trust = RequiredTrust.Shuffle });
            AssertRefused($"and its own numbers give {Figures.Up(honest.Statement.Planned!.Epsilon!.Value)}", joined: false);
        }

        [Fact]
        public void About_what_its_noise_gives_is_found_out_before_the_client_joins()
        {
            Coordinator.Told = Lying(Statement(Central), s => s with { Planned = s.Planned! with { Epsilon = 0.5 } });
            Require(new PrivacyRequirements { MaxEpsilon = 1 });
            AssertRefused("the run's statement promises ε = 0.5 at δ = 1e-6, and its own numbers give 4", joined: false);
        }

        [Fact]
        public void About_its_delta_is_found_out_before_the_client_joins()
        {
            Coordinator.Told = Lying(Statement(Central), s => s with { Planned = s.Planned! with { Delta = 0.1 } });
            Require(new PrivacyRequirements());
            AssertRefused("contradicts itself: its policy has δ = 1e-6, and its guarantee 0.1", joined: false);
        }

        [Fact]
        public void About_having_no_delta_gets_no_update_by_it()
        {
            Coordinator.Told = Lying(Statement(Central), s => s with { Delta = 0, Planned = s.Planned! with { Epsilon = 0.5 } });
            Require(new PrivacyRequirements { MaxEpsilon = 1 });
            AssertRefused("promises ε = 0.5 and names no δ at which that could be checked", joined: false);
        }

        [Fact]
        public void With_words_that_nobody_knows_is_not_worked_for()
        {
            Coordinator.Told = Lying(Statement(Central), s => s with { Adjacency = "cousins" });
            Require(new PrivacyRequirements());
            AssertRefused("the run's statement cannot be read: 'cousins' is none of", joined: false);
        }

        [Fact]
        public void By_giving_one_assignment_out_again_and_again_pays_for_each_report()
        {
            Coordinator.Told = Statement(new LocalPrivacyOptions { ReportEpsilon = 1, MaxParticipations = 5 });
            (Coordinator.Privacy, Coordinator.Target) = (Step(1), 1);
            for (var i = 0; i < 2; i++)
            {
                Coordinator.Script.Add(new CheckInReply
                {
                    Assignment = new AssignmentMessage(
                        0, 0, 1, 0, Coordinator.StoreVector(0, 1, 2, 3), new Dictionary<string, Protocol.BlobReference>(), JsonDocument.Parse("{}").RootElement, "safetensors", "1", 1) { Privacy = Step(1) },
                });
            }

            Require(new PrivacyRequirements { Trust = RequiredTrust.Local, MaxEpsilon = 3 });
            Driver.Run(); // The third is the coordinator's own, of the same number.
            Assert.Equal(3, Coordinator.Requests["send"]);
            Assert.Equal(3, Store.Ledger.Runs.Single().Reports.Sum(r => r.Count));
        }

        [Fact]
        public void By_asking_for_more_updates_than_it_covers_gets_no_more()
        {
            Coordinator.Told = Statement(Central with { MaxParticipations = 2 });
            (Coordinator.Privacy, Coordinator.Target) = (Clip, 10);
            Require(new PrivacyRequirements());
            var summary = Driver.Run();
            Assert.Contains("covers 2 updates of one client, and this would be the 3th", summary.Reason, StringComparison.Ordinal);
            Assert.Equal(2, Coordinator.Accepted.Count);
        }
    }
}
