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

/// <content>What the client itself counts, vetoes, keeps and pins.</content>
public static partial class PrivacyRequirementsTests
{
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
        public void Over_all_runs_is_held_to_the_delta_that_goes_with_the_budget()
        {
            Coordinator.Told = Statement(Central);
            Coordinator.Privacy = Clip;
            Require(new PrivacyRequirements { LifetimeEpsilon = 100, LifetimeDelta = 1.5e-6 });
            Assert.False(Driver.Run().IsPrivacyRefusal);
            Coordinator.Told = Statement(Central, "2026-02-01T00:00:00Z");
            Coordinator.Target += 2;
            var summary = Driver.Run();
            Assert.True(summary.IsPrivacyRefusal);
            Assert.Contains("at δ = 2e-6 by its own count, and it allows 100 at 1.5e-6", summary.Reason, StringComparison.Ordinal);
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

        /// <summary>The run may release twelve updates of a client: one that came too late is in none of them.</summary>
        [Fact]
        public void Does_not_hold_against_the_cap_what_the_coordinator_would_not_take()
        {
            Coordinator.Told = Statement(Central);
            Coordinator.Privacy = Clip;
            (Coordinator.LeaseSeconds, Coordinator.Target) = (5, 12);
            Trainer.Before = (_, _) => Coordinator.LeaseSeconds = 10_000;
            Coordinator.Faults = (request, n) => request == "send" && n == 0 ? Fault.RequestLost : Fault.None;
            Driver.Options = Driver.Options with { FirstRetry = TimeSpan.FromSeconds(20) };
            Require(new PrivacyRequirements { Trust = RequiredTrust.Central });
            var summary = Driver.Run();
            Assert.Equal((12, 1), (summary.Accepted, summary.Rejected));
            var entry = Store.Ledger.Runs.Single();
            Assert.Equal((13, 1), (entry.Participations, entry.Refused));
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

        [Theory]
        [InlineData(1, true)]
        [InlineData(0, false)]
        public void A_score_is_declined_at_once_and_only_who_asks_for_it_again_waits(int next, bool atOnce)
        {
            Coordinator.Told = Statement(Central);
            Coordinator.Privacy = Clip;
            foreach (var version in (int[])[0, next])
            {
                Coordinator.Script.Add(new CheckInReply { Evaluation = new EvaluationMessage(version, Coordinator.StoreVector(0, 1, 2, 3), JsonDocument.Parse("{}").RootElement) });
            }

            Require(new PrivacyRequirements());
            Assert.Equal(3, Driver.Run().Accepted);
            Assert.Equal(atOnce, Time.Seconds == 0);
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

        /// <summary>A branch, or a coordinator that says otherwise today: what hid a report is what was said when it was sent.</summary>
        [Fact]
        public void Reports_of_batches_of_another_size_are_counted_apart()
        {
            foreach (var batch in (int[])[100, 50, 50])
            {
                var guard = new PrivacyGuard(new PrivacyRequirements(), null, "run", Store);
                Assert.Null(guard.Judge(Statement(new ShufflePrivacyOptions { ReportEpsilon = 2, MaxParticipations = 3, MinBatch = batch })));
                Assert.Null(guard.Judge(Shuffled(Coordinator)));
                guard.Charge(sendsMore: false);
                guard.Leaves(0);
            }

            Assert.Equal([new ReportCharge(2, 100, 1), new ReportCharge(2, 50, 2)], Store.Ledger.Runs.Single().Reports);
        }

        [Fact]
        public void Amplification_is_the_clients_own_computation()
        {
            Assert.Null(Judge(new PrivacyRequirements { MaxEpsilon = 1.9 }));
            Assert.NotNull(Judge(new PrivacyRequirements { MaxEpsilon = 0.1 }));
        }
    }
}
