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
public static class PrivacyRequirementsTests
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

    public sealed class Its_own_count : Fixture
    {
        [Fact]
        public void Ends_the_session_before_a_report_too_many()
        {
            Coordinator.Told = Statement(new LocalPrivacyOptions { ReportEpsilon = 1, MaxParticipations = 50 });
            (Coordinator.Privacy, Coordinator.Target) = (Step(1), 100);
            Require(new PrivacyRequirements { Trust = RequiredTrust.Local, MaxEpsilon = 3 });
            var summary = Driver.Run();
            Assert.Contains("it would have spent ε = 4 at δ = 1e-6 on this run by its own count, and allows 3", summary.Reason, StringComparison.Ordinal);
            Assert.Equal(3, Coordinator.Accepted.Count);
            var entry = Store.Ledger.Runs.Single();
            Assert.Equal(3, entry.Participations);
            Assert.InRange(entry.Epsilon(), 2.9999, 3);
            Assert.StartsWith("the client's privacy requirements do not allow it", Coordinator.Failed.Single().Value, StringComparison.Ordinal);
        }

        [Fact]
        public void Composes_many_reports_as_an_accountant_does_and_not_by_adding_up()
        {
            var entry = new LedgerEntry("c", "r", "") { Delta = 1e-6, Participations = 200, Reports = [new ReportCharge(0.1, 0, 200)] };
            Assert.Equal(new PldAccountant().Epsilon(new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, 0.1, 2).Repeated(200), 1e-6), entry.Epsilon());
            Assert.InRange(entry.Epsilon(), 1, 15);
            var shuffled = entry with { Reports = [new ReportCharge(1, 10_000, 200)] };
            Assert.Equal(
                new PldAccountant().Epsilon(new ShuffledEvent(PrivacyUnit.ClientParticipation, LocalRandomizer.Generic(1), 10_000).Repeated(200), 1e-6), shuffled.Epsilon());
        }

        [Fact]
        public void Charges_a_run_whose_coordinator_adds_the_noise_as_a_whole_and_its_life_run_by_run()
        {
            Coordinator.Told = Statement(Central);
            Coordinator.Privacy = Clip;
            Require(new PrivacyRequirements { LifetimeEpsilon = 10 });
            Assert.False(Driver.Run().IsPrivacyRefusal);
            Assert.Equal((4.0, 1e-6), (Math.Round(Store.Ledger.Total().Epsilon, 6), Store.Ledger.Total().Delta));

            // Two more runs of the same name: each is another one.
            foreach (var (day, refused) in ((string, bool)[])[("2026-02-01T00:00:00Z", false), ("2026-03-01T00:00:00Z", true)])
            {
                Coordinator.Told = Statement(Central, day);
                Coordinator.Target += 2;
                var summary = Driver.Run();
                Assert.Equal(refused, summary.IsPrivacyRefusal);
                Assert.True(!refused || summary.Reason.Contains("all its runs together would have cost it ε = 12 at δ = 3e-6 by its own count, and it allows 10", StringComparison.Ordinal), summary.Reason);
            }

            Assert.Equal(2, Store.Ledger.Runs.Count);
        }

        [Fact]
        public void Says_what_went_up_without_any_guarantee()
        {
            Require(new PrivacyRequirements { Trust = RequiredTrust.Anything });
            Assert.Equal(3, Driver.Run().Accepted);
            Assert.Equal((3, double.PositiveInfinity), (Store.Ledger.Runs.Single().Unprotected, Store.Ledger.Total().Epsilon));
        }

        [Fact]
        public void Never_falls_behind_what_was_sent_whenever_the_power_goes()
        {
            var (cuts, most) = (0, 0);
            for (var at = 0; ; at++)
            {
                var time = new VirtualTime();
                using var cache = new MemoryModelCache(1 << 20);
                var coordinator = new FakeCoordinator(time)
                {
                    Target = 4, Privacy = Step(1), Told = Statement(new LocalPrivacyOptions { ReportEpsilon = 1 }),
                };
                using var inner = new MemoryClientStore(cache);
                using var store = new CrashingStore(inner) { Countdown = at };
                var requirements = new PrivacyRequirements { Trust = RequiredTrust.Local };
                var driver = new SessionDriver(time, coordinator, store, new CountingTrainer());
                driver.Options = driver.Options with { Privacy = requirements };
                var wasCut = false;
                while (true)
                {
                    try
                    {
                        driver.Run();
                        break;
                    }
                    catch (PowerCutException)
                    {
                        wasCut = true;
                        cuts++;
                        store.Countdown = -1;
                        Assert.True(Charged(inner) >= coordinator.Accepted.Count, $"Cut {at}: {coordinator.Accepted.Count} reports were taken, and {Charged(inner)} charged.");
                    }
                }

                // No crash costs a charge more than it must: an assignment is charged once.
                Assert.Equal(4, coordinator.Accepted.Count);
                Assert.Equal(4, Charged(inner));
                most = Math.Max(most, Charged(inner));
                if (!wasCut)
                {
                    break;
                }
            }

            Assert.True(cuts >= 30 && most == 4, $"Only {cuts} power cuts: the test would show little.");

            static int Charged(MemoryClientStore store) => store.Ledger.Runs.Sum(run => run.Reports.Sum(r => r.Count));
        }

        [Fact]
        public void Survives_a_restart_of_the_device()
        {
            using var folder = new TemporaryFolder();
            var entry = new LedgerEntry("c", "r", "2026") { Participations = 3, LastAssignment = 7, Delta = 1e-6, Reports = [new ReportCharge(1, 0, 3)] };
            using (var store = new FileClientStore(folder.Path, 1 << 20, Time))
            {
                Assert.Empty(store.Ledger.Runs);
                store.SaveLedger(store.Ledger.With(entry));
            }

            using (var again = new FileClientStore(folder.Path, 1 << 20, Time))
            {
                Assert.InRange(again.Ledger.Runs.Single().Epsilon(), 2.9999, 3);
                Assert.Equal(7, again.Ledger.Of("c", "r", "2026").LastAssignment);
            }

            File.WriteAllText(Path.Combine(folder.Path, "ledger.json"), "{");
            Assert.Contains("is damaged", Assert.Throws<ClientException>(() => new FileClientStore(folder.Path, 1 << 20, Time)).Message, StringComparison.Ordinal);
        }
    }

    public sealed class The_veto : Fixture
    {
        [Fact]
        public void Is_asked_with_the_clients_own_numbers_and_its_reason_reaches_the_coordinator()
        {
            Coordinator.Told = Statement(new LocalPrivacyOptions { ReportEpsilon = 2, MaxParticipations = 9 });
            Coordinator.Privacy = Step(2);
            var proposals = new List<PrivacyProposal>();
            Driver.Options = Driver.Options with
            {
                Privacy = new PrivacyRequirements { Trust = RequiredTrust.Local },
                PrivacyVeto = proposal =>
                {
                    proposals.Add(proposal);
                    return proposal.Participations > 2 ? "the ethics board has not met yet" : null;
                },
            };
            Assert.Equal(2, Driver.Run().Accepted);
            Assert.Contains("vetoed: the ethics board has not met yet", Coordinator.Failed.Single().Value, StringComparison.Ordinal);
            Assert.Equal([2, 4, 6], proposals.Select(p => Math.Round(p.Epsilon, 4)));
            Assert.All(proposals, p => Assert.Equal((2.0, "training", 1e-6, p.Epsilon), (p.ReportEpsilon, p.Analysis, p.Delta, p.LifetimeEpsilon)));
        }
    }

    public sealed class What_is_not_asked_for : Fixture
    {
        [Fact]
        public void Neither_scores_nor_numbers_of_examples_leave_the_device()
        {
            Coordinator.Told = Statement(Central);
            Coordinator.Privacy = Clip;
            Coordinator.Script.Add(new CheckInReply { Evaluation = new EvaluationMessage(0, Coordinator.StoreVector(0, 1, 2, 3), JsonDocument.Parse("{}").RootElement) });
            Require(new PrivacyRequirements());
            Assert.Equal(3, Driver.Run().Accepted);
            Assert.Empty(Coordinator.Evaluations);
            Assert.All(Coordinator.ExamplesTold, told => Assert.Equal(0, told));
            Assert.All(Coordinator.Declarations.Values, d => Assert.Equal(0, d.Examples));
        }

        [Fact]
        public void An_analysis_that_is_not_allowed_is_refused()
        {
            Coordinator.Told = Statement(new LocalPrivacyOptions { ReportEpsilon = 1, MaxParticipations = 5 });
            Coordinator.Privacy = Step(1);
            Require(new PrivacyRequirements { Trust = RequiredTrust.Local, Analyses = ["mean", "histogram"] });
            AssertRefused("its data are for mean, histogram, and this is 'training'", joined: true);
        }
    }

    public sealed class Pins : Fixture
    {
        private const string Key = "BAAA", Analyzer = "BBBB";

        private static AssignmentMessage Shuffled(FakeCoordinator coordinator) => new(
            0, 0, 1, 0, coordinator.StoreVector(0, 1, 2, 3), new Dictionary<string, Protocol.BlobReference>(), JsonDocument.Parse("{}").RootElement, "safetensors", "1", 1)
        {
            Privacy = JsonDocument.Parse(
                $$$"""{"kind":"shuffle","clipNorm":1,"randomizer":"privunitg","reportEpsilon":2,"shuffle":{"shufflers":[{"name":"first","key":"AAAA"},{"name":"second","key":"{{{Key}}}"}],"analyzer":"{{{Analyzer}}}"}}""").RootElement,
        };

        private string? Judge(PrivacyRequirements requirements)
        {
            var guard = new PrivacyGuard(requirements, null, "run", Store);
            Assert.Null(guard.Judge(Statement(new ShufflePrivacyOptions { ReportEpsilon = 2, MaxParticipations = 3 })));
            return guard.Judge(Shuffled(Coordinator));
        }

        [Fact]
        public void Of_one_shuffler_on_the_way_are_enough()
        {
            Assert.Null(Judge(new PrivacyRequirements { Shufflers = [Key] }));
            Assert.Null(Judge(new PrivacyRequirements { Shufflers = ["sha256:" + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Convert.FromBase64String("BAAA")))] }));
        }

        [Fact]
        public void Of_other_shufflers_refuse() =>
            Assert.Contains("it trusts 1 keys of shufflers, and the run's are none of them (sha256:", Judge(new PrivacyRequirements { Shufflers = ["CCCC"] }), StringComparison.Ordinal);

        [Fact]
        public void Of_the_analyzer_hold()
        {
            Assert.Null(Judge(new PrivacyRequirements { Analyzers = [Analyzer] }));
            Assert.Contains("its reports may be sealed to 1 keys, and the run's is none of them", Judge(new PrivacyRequirements { Analyzers = ["CCCC"] }), StringComparison.Ordinal);
        }

        [Fact]
        public void Amplification_is_the_clients_own_computation()
        {
            Assert.Null(Judge(new PrivacyRequirements { MaxEpsilon = 1.9 }));
            Assert.NotNull(Judge(new PrivacyRequirements { MaxEpsilon = 0.1 }));
        }
    }
}
